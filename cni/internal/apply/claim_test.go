package apply

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestAClaimLastsAndIsNamed(t *testing.T) {
	ip := netip.MustParseAddr("fd00:c1a1:e::77")
	if err := claim(ip, time.Now()); err != nil {
		t.Fatalf("claim of a free address: %v", err)
	}
	var held *ClaimError
	if err := claim(ip, time.Now()); !errors.As(err, &held) || !strings.Contains(err.Error(), ip.String()) {
		t.Errorf("claim of a claimed address: %v, want a ClaimError that names it", err)
	}
	if err := claim(netip.MustParseAddr("fd00:c1a1:e::78"), time.Now()); err != nil {
		t.Errorf("claim of another address: %v", err)
	}
}
