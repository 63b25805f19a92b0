package netconf

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/containernetworking/cni/pkg/types"
)

type embedded struct {
	Number *int      `json:"number"`
	List   *[]string `json:"list"`
	Switch *bool     `json:"switch"`
}

type conf struct {
	types.PluginConf
	embedded
	Args struct {
		Text *string `json:"text"`
	} `json:"args"`
}

func TestAValueOfAnotherTypeIsNamedByItsKey(t *testing.T) {
	for text, want := range map[string]string{
		`{"number":"1"}`:      "number is a string, it must be a whole number",
		`{"number":1.5}`:      "number is a number 1.5, it must be a whole number",
		`{"list":"a"}`:        "list is a string, it must be a list",
		`{"list":[1]}`:        "list is a number, it must be a text",
		`{"switch":"yes"}`:    "switch is a string, it must be true or false",
		`{"args":{"text":1}}`: "args.text is a number, it must be a text",
		`{"args":[]}`:         "args is an array, it must be an object",
		`{"name":7}`:          "name is a number, it must be a text",
		`[]`:                  "the configuration is an array, it must be an object",
		`{`:                   "the configuration is not valid JSON",
		``:                    "the configuration is not valid JSON",
	} {
		if err := Decode([]byte(text), &conf{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestTheOtherKeysAreDecodedBesideOneOfAnotherType(t *testing.T) {
	got := conf{}
	err := Decode([]byte(`{"number":"1","name":"net","args":{"text":"a"},"prevResult":{"cniVersion":"1.0.0"}}`), &got)
	var mismatch *TypeError
	if !errors.As(err, &mismatch) || got.Name != "net" || got.Args.Text == nil || got.RawPrevResult == nil {
		t.Errorf("got %v and %+v", err, got)
	}
}

// versions are those with a prevResult of their own form.
var versions = []string{"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"}

func prevResult(t *testing.T, version, keys string) *types.PluginConf {
	t.Helper()
	decoded := &types.PluginConf{}
	text := fmt.Sprintf(`{"cniVersion":%q,"prevResult":{"cniVersion":%q%s}}`, version, version, keys)
	if err := Decode([]byte(text), decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestPrevResultsOfAllVersions(t *testing.T) {
	const keys = `,"interfaces":[{"name":"eth0","sandbox":"/x"}],"routes":[{"dst":"0.0.0.0/0"}],
		"ips":[{"version":"4","address":"10.6.1.2/16","interface":0},{"version":"6","address":"fd00::2/64"}]`
	for _, version := range versions {
		result, err := PrevResult(prevResult(t, version, keys))
		if err != nil || len(result.Interfaces) != 1 || len(result.IPs) != 2 || len(result.Routes) != 1 {
			t.Errorf("%s: got %v and %+v", version, err, result)
		}
	}
	if result, err := PrevResult(&types.PluginConf{}); result != nil || err != nil {
		t.Errorf("none: got %v and %+v", err, result)
	}
}

func TestAPrevResultThatIsNoneIsAnError(t *testing.T) {
	for keys, want := range map[string]string{
		`,"interfaces":[null]`:                   "prevResult: interfaces[0] is null",
		`,"ips":[{"address":"10.0.0.2/8"},null]`: "prevResult: ips[1] is null",
		`,"routes":[null]`:                       "prevResult: routes[0] is null",
		`,"ips":"10.0.0.2/8"`:                    "prevResult: ",
		`,"ips":[{"address":"10.0.0.2"}]`:        "prevResult: ",
	} {
		for _, version := range versions {
			if result, err := PrevResult(prevResult(t, version, keys)); result != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s: got %v and %+v, want %q", version, keys, err, result, want)
			}
		}
	}
}
