package facts

import (
	"bytes"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// MarkBit is the one bit of the packet mark and the connection mark that this plugin uses, and only
// inside pods. Meshes and tunnels are not known to use it.
const MarkBit = 0x20000000

// MarkTable is the name of the private nftables table; there is one for each family in use.
const MarkTable = "spidercoordinator"

// markRuleVersion is stored with each rule: a rule that is edited loses it.
const markRuleVersion = "spidercoordinator rule 2"

const ctStateNew = 0x8

// MarkChain is one chain of the private table with its rules.
type MarkChain struct {
	Chain *nftables.Chain
	Rules []*nftables.Rule
}

// MarkChains returns the private table of a family with its two chains and their rules:
//
//	prerouting: iifname VETH ct state new            ct mark set ct mark | BIT
//	            ct mark & BIT == BIT iifname != VETH meta mark set meta mark | BIT
//	output:     ct mark & BIT == BIT                 meta mark set meta mark | BIT
//
// The second is for replies that the pod forwards, of a virtual machine or a container inside. Setting a bit never clears another one, so marks of applications and meshes survive.
func MarkChains(family Family, veth string) (*nftables.Table, []MarkChain) {
	table := &nftables.Table{Name: MarkTable, Family: nftables.TableFamilyIPv4}
	if family == V6 {
		table.Family = nftables.TableFamilyIPv6
	}
	prerouting := &nftables.Chain{
		Name: "prerouting", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityMangle,
	}
	output := &nftables.Chain{
		Name: "output", Table: table, Type: nftables.ChainTypeRoute,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityMangle,
	}
	rule := func(chain *nftables.Chain, exprs []expr.Any) *nftables.Rule {
		return &nftables.Rule{Table: table, Chain: chain, Exprs: exprs, UserData: []byte(markRuleVersion)}
	}
	forwarded := slices.Concat(compareConnmark(), compareInterface(expr.CmpOpNeq, veth), setMark())
	local := slices.Concat(compareConnmark(), setMark())
	return table, []MarkChain{
		{prerouting, []*nftables.Rule{rule(prerouting, setConnmark(veth)), rule(prerouting, forwarded)}},
		{output, []*nftables.Rule{rule(output, local)}},
	}
}

func compareInterface(op expr.CmpOp, veth string) []expr.Any {
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, veth)
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1},
		&expr.Cmp{Op: op, Register: 1, Data: name},
	}
}

func setConnmark(veth string) []expr.Any {
	return append(compareInterface(expr.CmpOpEq, veth),
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		maskBits(ctStateNew),
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(0)},
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		setBits(MarkBit),
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1, SourceRegister: true},
	)
}

func compareConnmark() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		maskBits(MarkBit),
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(MarkBit)},
	}
}

func setMark() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyMARK, Register: 1},
		setBits(MarkBit),
		&expr.Meta{Key: expr.MetaKeyMARK, Register: 1, SourceRegister: true},
	}
}

func maskBits(bits uint32) *expr.Bitwise {
	return &expr.Bitwise{
		SourceRegister: 1, DestRegister: 1, Len: 4,
		Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: binaryutil.NativeEndian.PutUint32(0),
	}
}

func setBits(bits uint32) *expr.Bitwise {
	return &expr.Bitwise{
		SourceRegister: 1, DestRegister: 1, Len: 4,
		Mask: binaryutil.NativeEndian.PutUint32(^bits), Xor: binaryutil.NativeEndian.PutUint32(bits),
	}
}

// readMarkState says how much of the private table of a family is in place; tables are those of the namespace.
func readMarkState(conn *nftables.Conn, tables []*nftables.Table, family Family) MarkState {
	table, desired := MarkChains(family, PodVeth)
	if !slices.ContainsFunc(tables, func(t *nftables.Table) bool { return t.Name == table.Name && t.Family == table.Family }) {
		return MarksAbsent
	}
	for _, chain := range desired {
		rules, err := conn.GetRules(table, chain.Chain)
		if err != nil || len(rules) != len(chain.Rules) {
			return MarksBroken // the kernel answers a missing chain with an error
		}
		for number, rule := range rules {
			if !bytes.Equal(rule.UserData, chain.Rules[number].UserData) {
				return MarksBroken
			}
		}
	}
	return MarksComplete
}
