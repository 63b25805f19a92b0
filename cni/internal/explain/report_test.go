package explain

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"testing"

	"github.com/google/nftables/expr"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

func state() *facts.NetnsState {
	return &facts.NetnsState{
		Links: []facts.Link{
			{Name: "eth0", Kind: "macvlan", Up: true, MAC: "02:00:00:00:00:01", MTU: 1500},
			{Name: "veth0", Kind: "veth", Up: true, MAC: "02:00:00:00:00:02", MTU: 1450},
		},
		Addrs: []facts.Addr{
			{Dev: "eth0", Prefix: netip.MustParsePrefix("172.30.0.5/16")},
			{Dev: "veth0", Prefix: netip.MustParsePrefix("169.254.100.1/32")},
		},
		Routes: []facts.Route{
			{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gw: netip.MustParseAddr("172.30.0.1"), Dev: "eth0", Table: facts.TableMain},
			{Dst: netip.MustParsePrefix("10.96.0.0/12"), Gw: netip.MustParseAddr("10.0.0.2"), Dev: "veth0", Table: facts.TableMain, Proto: facts.Proto},
			{Dst: netip.MustParsePrefix("172.30.0.5/32"), Dev: "eth0", Table: facts.TableLocal},
		},
		Rules: []facts.Rule{
			{Family: facts.V4, Priority: 100, Mark: facts.MarkBit, Mask: facts.MarkBit, Table: 5000, Proto: facts.Proto},
			{Family: facts.V4, Priority: 200, Src: netip.MustParsePrefix("172.30.0.5/32"), Table: 5001, Proto: facts.Proto},
		},
		Neighs:  []facts.Neigh{{Dev: "veth0", IP: netip.MustParseAddr("10.0.0.2"), MAC: "02:00:00:00:00:03"}},
		Sysctls: map[string]string{"net/ipv4/conf/veth0/rp_filter": "0"},
		Marks:   map[facts.Family]facts.MarkState{facts.V4: facts.MarksComplete, facts.V6: facts.MarksAbsent},
	}
}

func TestTheReportIsTheOneThatItsReaderTests(t *testing.T) {
	redirects := []Redirect{{"IPv4", "nat", "ISTIO_IN_REDIRECT", "REDIRECT"}}
	found := Describe(state(), redirects, nil)
	content, err := os.ReadFile("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	var want Report
	if err := json.Unmarshal(content, &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(found, want) {
		text, _ := json.MarshalIndent(found, "", "  ")
		t.Errorf("testdata/report.json is not what is reported:\n%s", text)
	}
}

func TestWhatIsUnseenIsSaid(t *testing.T) {
	found := Describe(&facts.NetnsState{Marks: map[facts.Family]facts.MarkState{facts.V4: facts.MarksBroken}}, nil, errors.New("not permitted"))
	if found.Unseen != "not permitted" || found.Marks["IPv4"] != "broken" {
		t.Errorf("got %+v", found)
	}
	text, _ := json.Marshal(found)
	var lists map[string]any
	_ = json.Unmarshal(text, &lists)
	for _, key := range []string{"interfaces", "routes", "rules", "neighbours", "redirects"} {
		if lists[key] == nil {
			t.Errorf("%s is null, and not an empty list", key)
		}
	}
}

func TestRedirectsAreKnownInBothForms(t *testing.T) {
	for _, row := range []struct {
		exprs []expr.Any
		kind  string
	}{
		{[]expr.Any{&expr.Counter{}, &expr.Redir{}}, "REDIRECT"},
		{[]expr.Any{&expr.TProxy{}}, "TPROXY"},
		{[]expr.Any{&expr.Target{Name: "REDIRECT"}}, "REDIRECT"},
		{[]expr.Any{&expr.Target{Name: "TPROXY"}}, "TPROXY"},
		{[]expr.Any{&expr.Target{Name: "MARK"}}, ""},
		{nil, ""},
	} {
		if kind := redirectKind(row.exprs); kind != row.kind {
			t.Errorf("%v: got %q, want %q", row.exprs, kind, row.kind)
		}
	}
}
