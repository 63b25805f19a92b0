package explain

import (
	"bytes"
	"fmt"
	"os"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Read describes the current network namespace. Marks and redirects need CAP_NET_ADMIN; without it the
// report says that they are unseen.
func Read() (Report, error) {
	pod, err := facts.OpenCurrent()
	if err != nil {
		return Report{}, err
	}
	state, err := facts.PodWithoutMarks(pod)
	if err != nil {
		return Report{}, err
	}
	redirects, unseen := facts.ReadRuleset(pod, readRedirects)
	if unseen == nil {
		unseen = legacyTables()
	}
	if unseen == nil {
		unseen = facts.ReadMarks(pod, state)
	}
	return Describe(state, redirects, unseen), nil
}

// readRedirects finds the rules in nftables, where iptables-nft has its own too.
func readRedirects(conn *nftables.Conn) ([]Redirect, error) {
	chains, err := conn.ListChains()
	if err != nil {
		return nil, fmt.Errorf("list the nftables chains: %w", err)
	}
	var found []Redirect
	for _, chain := range chains {
		rules, err := conn.GetRules(chain.Table, chain)
		if err != nil {
			return nil, fmt.Errorf("list the nftables rules of chain %s: %w", chain.Name, err)
		}
		kinds := map[string]bool{}
		for _, rule := range rules {
			if kind := redirectKind(rule.Exprs); kind != "" && !kinds[kind] {
				kinds[kind] = true
				found = append(found, Redirect{familyName(chain.Table.Family), chain.Table.Name, chain.Name, kind})
			}
		}
	}
	return found, nil
}

// redirectKind says how a rule sends connections elsewhere: in nftables' own words, or in those of an
// iptables target.
func redirectKind(exprs []expr.Any) string {
	for _, each := range exprs {
		switch each := each.(type) {
		case *expr.Redir:
			return "REDIRECT"
		case *expr.TProxy:
			return "TPROXY"
		case *expr.Target:
			if each.Name == "REDIRECT" || each.Name == "TPROXY" {
				return each.Name
			}
		}
	}
	return ""
}

// legacyTables is an error where iptables-legacy has rules of address translation, which are not read.
func legacyTables() error {
	for _, file := range []string{"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"} {
		if names, err := os.ReadFile(file); err == nil && bytes.Contains(names, []byte("nat")) {
			return fmt.Errorf("%s names the table nat of iptables-legacy, whose rules are not read", file)
		}
	}
	return nil
}

func familyName(family nftables.TableFamily) string {
	switch family {
	case nftables.TableFamilyIPv4:
		return facts.V4.String()
	case nftables.TableFamilyIPv6:
		return facts.V6.String()
	default:
		return "both"
	}
}
