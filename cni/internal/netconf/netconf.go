// Package netconf decodes what every plugin gets on stdin: a network configuration with the result of the
// plugins before it.
package netconf

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"
)

// TypeError says which key has a value of another JSON type than it must. All other keys are decoded
// nevertheless.
type TypeError struct{ Key, Got, Want string }

func (e *TypeError) Error() string {
	article := "a"
	if strings.HasPrefix(e.Got, "array") || strings.HasPrefix(e.Got, "object") {
		article = "an"
	}
	return fmt.Sprintf("%s is %s %s, it must be %s", e.Key, article, e.Got, e.Want)
}

// Decode decodes a network configuration, or a part of one, into a struct. Its error is a *TypeError, or says
// that the text is no JSON.
func Decode(text []byte, into any) error {
	err := json.Unmarshal(text, into)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return &TypeError{keyOf(mismatch.Field, reflect.TypeOf(into)), mismatch.Value, kindName(mismatch.Type)}
	}
	if err != nil {
		return fmt.Errorf("the configuration is not valid JSON: %w", err)
	}
	return nil
}

// keyOf is the path of a key as it is written: encoding/json also names the embedded structs on the way.
func keyOf(path string, into reflect.Type) string {
	into = into.Elem()
	parts := strings.Split(path, ".")
	for len(parts) > 1 && into.Kind() == reflect.Struct {
		field, ok := into.FieldByName(parts[0])
		if !ok || !field.Anonymous {
			break
		}
		into, parts = field.Type, parts[1:]
	}
	if path == "" {
		return "the configuration"
	}
	return strings.Join(parts, ".")
}

func kindName(kind reflect.Type) string {
	switch kind.Kind() {
	case reflect.Int, reflect.Int64, reflect.Uint32:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "a text"
	}
}

// PrevResult is the result of the plugins before this one; nil where the runtime gave none. Every version of
// the CNI specification that has results is understood.
func PrevResult(conf *types.PluginConf) (*current.Result, error) {
	for _, key := range []string{"interfaces", "ips", "routes"} {
		list, _ := conf.RawPrevResult[key].([]any)
		for number, entry := range list {
			if entry == nil { // the library takes it, and dereferences it later
				return nil, fmt.Errorf("prevResult: %s[%d] is null, it must be an object: the plugin before this one is at fault", key, number)
			}
		}
	}
	if err := version.ParsePrevResult(conf); err != nil {
		return nil, fmt.Errorf("prevResult: %w", err)
	}
	if conf.PrevResult == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	result, err := current.NewResultFromResult(conf.PrevResult)
	if err != nil {
		return nil, fmt.Errorf("prevResult: %w", err)
	}
	return result, nil
}
