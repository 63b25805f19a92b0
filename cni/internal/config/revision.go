package config

import (
	"hash/fnv"
	"strconv"
)

// Revision tells one configuration from another: equal ones give the same number, whatever a pod chooses for itself.
// It is worked out at each ADD that is counted, so it goes without reflection.
func (c *Config) Revision() uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write(c.section.appendTo(nil))
	return sum.Sum64()
}

// appendTo appends all that is set, each key marked as such, so that no two sections look the same.
func (s *section) appendTo(text []byte) []byte {
	for _, value := range []*string{
		s.Mode, s.MACPrefix, s.DefaultRouteNIC, s.First, s.VethLinkAddress, s.NotReadyReason,
	} {
		text = appendKey(text, value, strconv.AppendQuote)
	}
	for _, value := range []*[]string{s.OverlayPodCIDR, s.ServiceCIDR, s.HijackCIDR} {
		text = appendKey(text, value, appendTexts)
	}
	text = appendKey(text, s.PolicyRoutes, appendRoutes)
	for _, value := range []*bool{s.TunePodRoutes, s.DetectGateway, s.DetectConflict, s.Announce} {
		text = appendKey(text, value, strconv.AppendBool)
	}
	for _, value := range []*int{s.HostRuleTable, s.PodRPFilter, s.HostRPFilter, s.TxQueueLen, s.VethMTU} {
		text = appendKey(text, value, func(text []byte, number int) []byte { return strconv.AppendInt(text, int64(number), 10) })
	}
	return text
}

func appendKey[T any](text []byte, value *T, add func([]byte, T) []byte) []byte {
	if value == nil {
		return append(text, ';')
	}
	return append(add(append(text, '='), *value), ';')
}

func appendTexts(text []byte, values []string) []byte {
	for _, value := range values {
		text = append(strconv.AppendQuote(text, value), ',')
	}
	return text
}

func appendRoutes(text []byte, routes []policyRoute) []byte {
	for _, route := range routes {
		text = appendTexts(text, []string{route.Dst, route.Gw})
	}
	return text
}
