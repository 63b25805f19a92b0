package facts

import (
	"fmt"
	"os"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Firewall is what a namespace's nftables, and iptables-nft's tables among them, do to forwarded packets.
type Firewall struct {
	Chains []Chain
	// Legacy names the tables of iptables-legacy, whose rules are not read.
	Legacy []string
}

// Chain is a chain with what is of interest in its rules. Those of chains that no packet of the hooks in
// question gets to are not read.
type Chain struct {
	Families   []Family
	Table      string
	Name       string
	Hook       nftables.ChainHook // of a base chain
	Base       bool
	NAT        bool
	PolicyDrop bool
	Rules      []ChainRule
}

// ChainRule is what a rule does and when.
type ChainRule struct {
	Accept     bool
	Jump       string // chain of the same table
	Masquerade bool
	Redirect   bool
	Always     bool     // has no condition
	ByAddress  bool     // looks into the packet
	Interfaces []string // names or beginnings of names
}

// ReadFirewall reads the chains that packets get to from base chains of interest. It needs CAP_NET_ADMIN.
func ReadFirewall(namespace *Namespace, interest func(Chain) bool) (Firewall, error) {
	firewall := Firewall{}
	err := namespace.Do(func() error {
		names, err := os.ReadFile("/proc/self/net/ip_tables_names")
		if err == nil { // there is none where no table was ever made
			firewall.Legacy = strings.Fields(string(names))
		}
		return nil
	})
	if err != nil {
		return firewall, err
	}
	firewall.Chains, err = ReadRuleset(namespace, func(conn *nftables.Conn) ([]Chain, error) {
		return readChains(conn, interest)
	})
	return firewall, err
}

func readChains(conn *nftables.Conn, interest func(Chain) bool) ([]Chain, error) {
	listed, err := conn.ListChains()
	if err != nil {
		return nil, fmt.Errorf("list the nftables chains: %w", err)
	}
	reader := chainReader{conn: conn, listed: listed, wanted: map[*nftables.Chain]bool{}}
	for _, chain := range listed {
		reader.wanted[chain] = interest(fromChain(chain))
	}
	return reader.read()
}

type chainReader struct {
	conn   *nftables.Conn
	listed []*nftables.Chain
	wanted map[*nftables.Chain]bool
}

// read reads the rules of the wanted chains, and of those that they jump to; the others only by name.
func (r *chainReader) read() ([]Chain, error) {
	chains := make([]Chain, len(r.listed))
	done := make([]bool, len(r.listed))
	for found := true; found; {
		found = false
		for number, listed := range r.listed {
			if done[number] || !r.wanted[listed] {
				continue
			}
			rules, err := r.conn.GetRules(listed.Table, listed)
			if err != nil {
				return nil, fmt.Errorf("list the rules of the nftables chain %s %s: %w", listed.Table.Name, listed.Name, err)
			}
			done[number], found = true, true
			chains[number] = fromChain(listed)
			for _, rule := range rules {
				converted := fromChainRule(rule.Exprs)
				chains[number].Rules = append(chains[number].Rules, converted)
				r.want(listed.Table, converted.Jump)
			}
		}
	}
	for number, listed := range r.listed {
		if !done[number] {
			chains[number] = fromChain(listed)
		}
	}
	return chains, nil
}

func (r *chainReader) want(table *nftables.Table, name string) {
	for _, chain := range r.listed {
		if name != "" && chain.Name == name && chain.Table.Name == table.Name && chain.Table.Family == table.Family {
			r.wanted[chain] = true
		}
	}
}

func fromChain(chain *nftables.Chain) Chain {
	converted := Chain{Table: chain.Table.Name, Name: chain.Name, NAT: chain.Type == nftables.ChainTypeNAT, Base: chain.Hooknum != nil}
	switch chain.Table.Family {
	case nftables.TableFamilyIPv4:
		converted.Families = []Family{V4}
	case nftables.TableFamilyIPv6:
		converted.Families = []Family{V6}
	case nftables.TableFamilyINet:
		converted.Families = Families
	}
	if chain.Hooknum != nil {
		converted.Hook = *chain.Hooknum
	}
	converted.PolicyDrop = chain.Policy != nil && *chain.Policy == nftables.ChainPolicyDrop
	return converted
}

func fromChainRule(exprs []expr.Any) ChainRule {
	rule, isName := ChainRule{Always: true}, false
	for _, each := range exprs {
		switch e := each.(type) {
		case *expr.Verdict:
			rule.Accept = rule.Accept || e.Kind == expr.VerdictAccept
			if e.Kind == expr.VerdictJump || e.Kind == expr.VerdictGoto {
				rule.Jump = e.Chain
			}
		case *expr.Masq:
			rule.Masquerade = true
		case *expr.Redir:
			rule.Redirect = true
		case *expr.Target:
			rule.Masquerade = rule.Masquerade || e.Name == "MASQUERADE"
			rule.Redirect = rule.Redirect || e.Name == "REDIRECT"
		case *expr.Meta:
			isName = e.Key == expr.MetaKeyIIFNAME || e.Key == expr.MetaKeyOIFNAME
		case *expr.Cmp:
			rule.Always = false
			if isName && e.Op == expr.CmpOpEq {
				rule.Interfaces = append(rule.Interfaces, strings.TrimRight(string(e.Data), "\x00"))
			}
		case *expr.Payload:
			rule.Always, rule.ByAddress = false, true
		case *expr.Match:
			rule.Always = rule.Always && e.Name == "comment"
		case *expr.Lookup, *expr.Range, *expr.Ct, *expr.Fib, *expr.Limit:
			rule.Always = false
		}
	}
	return rule
}
