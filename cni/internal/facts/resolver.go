package facts

import (
	"github.com/vishvananda/netlink"
)

// resolver reads links by their number, each once.
type resolver struct {
	handle *netlink.Handle
	known  map[int]Link
}

func newResolver(handle *netlink.Handle) *resolver {
	return &resolver{handle: handle, known: map[int]Link{}}
}

func (r *resolver) link(index int) Link {
	if found, known := r.known[index]; known || index == 0 {
		return found
	}
	link, err := r.handle.LinkByIndex(index)
	if err != nil {
		return Link{} // it is gone by now
	}
	r.known[index] = fromLink(link)
	return r.known[index]
}

func (r *resolver) name(index int) string { return r.link(index).Name }

func (r *resolver) mtu(index int) int { return r.link(index).MTU }
