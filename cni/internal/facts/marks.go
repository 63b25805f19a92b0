package facts

import (
	"bytes"

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
const markRuleVersion = "spidercoordinator rule 1"

const ctStateNew = 0x8

// MarkRule is one chain of the private table with its only rule.
type MarkRule struct {
	Chain *nftables.Chain
	Rule  *nftables.Rule
}

// MarkRules returns the private table of a family with its two chains and rules:
//
//	prerouting: iifname VETH ct state new  ct mark set ct mark | BIT
//	output:     ct mark & BIT == BIT       meta mark set meta mark | BIT
//
// Setting a bit never clears another one, so marks of applications and meshes survive.
func MarkRules(family Family, veth string) (*nftables.Table, []MarkRule) {
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
	version := []byte(markRuleVersion)
	return table, []MarkRule{
		{prerouting, &nftables.Rule{Table: table, Chain: prerouting, Exprs: setConnmark(veth), UserData: version}},
		{output, &nftables.Rule{Table: table, Chain: output, Exprs: restoreMark(), UserData: version}},
	}
}

func setConnmark(veth string) []expr.Any {
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, veth)
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: name},
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		maskBits(ctStateNew),
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(0)},
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		setBits(MarkBit),
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1, SourceRegister: true},
	}
}

func restoreMark() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		maskBits(MarkBit),
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(MarkBit)},
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

// readMarkState says how much of the private table of a family is in place.
func readMarkState(conn *nftables.Conn, family Family) (MarkState, error) {
	table, desired := MarkRules(family, PodVeth)
	tables, err := conn.ListTablesOfFamily(table.Family)
	if err != nil {
		return MarksAbsent, err
	}
	present := false
	for _, existing := range tables {
		present = present || existing.Name == table.Name
	}
	if !present {
		return MarksAbsent, nil
	}
	for _, markRule := range desired {
		rules, err := conn.GetRules(table, markRule.Chain)
		if err != nil || len(rules) != 1 || !bytes.Equal(rules[0].UserData, markRule.Rule.UserData) {
			return MarksBroken, nil // the kernel answers a missing chain with an error
		}
	}
	return MarksComplete, nil
}
