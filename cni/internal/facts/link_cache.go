package facts

import (
	"slices"

	"github.com/vishvananda/netlink"
)

// linkCache gets links by index, each once.
type linkCache struct {
	handle  *netlink.Handle
	byIndex map[int]Link
}

func newLinkCache(handle *netlink.Handle) *linkCache {
	return &linkCache{handle: handle, byIndex: map[int]Link{}}
}

func (c *linkCache) link(index int) Link {
	if cached, ok := c.byIndex[index]; ok || index == 0 {
		return cached
	}
	link, err := c.handle.LinkByIndex(index)
	if err != nil {
		return Link{} // deleted meanwhile
	}
	c.byIndex[index] = fromLink(link)
	return c.byIndex[index]
}

// all are the links that were asked for, by index.
func (c *linkCache) all() []Link {
	links := make([]Link, 0, len(c.byIndex))
	for _, link := range c.byIndex {
		links = append(links, link)
	}
	slices.SortFunc(links, func(a, b Link) int { return a.Index - b.Index })
	return links
}

func (c *linkCache) name(index int) string { return c.link(index).Name }

func (c *linkCache) mtu(index int) int { return c.link(index).MTU }
