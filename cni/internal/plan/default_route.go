package plan

import (
	"fmt"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// checkDefaultRouteNIC refuses an interface that cannot hold the default route. One that is not
// there yet may come with a later network of the pod.
func (a *adder) checkDefaultRouteNIC() error {
	name := a.req.Config.DefaultRouteNIC
	if name == "" || !a.req.Config.TunePodRoutes {
		return nil
	}
	if name == facts.PodVeth || name == "lo" {
		return fmt.Errorf("podDefaultRouteNIC: %s cannot hold the default route: name an interface of a network, such as net1", name)
	}
	if _, ok := a.facts.Pod.Link(name); !ok {
		if a.req.attachedLater(name) {
			a.warn(fmt.Sprintf("podDefaultRouteNIC: %s is not in the pod yet; the default route stays where it is until it is attached", name))
			return nil
		}
		if a.req.mayBeAlone() {
			a.warn(fmt.Sprintf("podDefaultRouteNIC: %s is not in the pod: the default route stays where it is", name))
			return nil
		}
		return fmt.Errorf("podDefaultRouteNIC: %s don't exist in pod: interface %s is the one being added; "+
			"check the annotation k8s.v1.cni.cncf.io/networks and the value of podDefaultRouteNIC", name, a.req.IfName)
	}
	for _, family := range facts.Families {
		if _, ok := a.defaultOf(name, family); ok || a.sharesDefault(name, family) {
			return nil
		}
	}
	return fmt.Errorf("podDefaultRouteNIC: interface %s has no default route: "+
		"give its network a gateway, or name another interface", name)
}

// attachedLater says whether an interface can still be attached after the one of this call: by the list
// of attachments where Multus keeps one, else by the names that Multus generates (net1, net2, ...).
func (r *Request) attachedLater(name string) bool {
	if r.Attachments != nil {
		return slices.Index(r.Attachments, name) > slices.Index(r.Attachments, r.IfName)
	}
	number, ok := netNumber(name)
	if !ok {
		return false
	}
	now, _ := netNumber(r.IfName)
	return number > now
}

// mayBeAlone says whether the interface of this call can be the pod's only one, whose network or cluster
// names an interface that other pods have.
func (r *Request) mayBeAlone() bool {
	return r.first() && !r.Config.PodChoseNIC && len(r.Attachments) <= 1
}

func netNumber(name string) (int, bool) {
	var number int
	if _, err := fmt.Sscanf(name, "net%d", &number); err != nil || name != fmt.Sprintf("net%d", number) {
		return 0, false
	}
	return number, true
}

// defaultRouteDev is the interface with the default route of the main table, or nothing: the
// configured one, else the one that has it already, else the one of this call.
func (a *adder) defaultRouteDev(family facts.Family) string {
	if name := a.req.Config.DefaultRouteNIC; name != "" {
		if route, ok := a.defaultOf(name, family); ok && !(a.req.Check && a.chosenElse(route)) {
			return name
		}
	}
	for _, link := range a.facts.Pod.Links {
		if a.attachedAfter(link.Name) {
			continue
		}
		if link.Name != a.req.IfName && link.Name != facts.PodVeth && (len(a.mainDefaults(link.Name, family)) > 0 || a.sharesDefault(link.Name, family)) {
			return link.Name
		}
	}
	if len(a.mainDefaults(a.req.IfName, family)) > 0 {
		return a.req.IfName
	}
	return ""
}

// chosenElse says, for CHECK, whether the default route of the chosen interface is in the interface's own table and
// another one's in the main table: a network that was added later has chosen that one.
func (a *adder) chosenElse(chosen facts.Route) bool {
	if chosen.Table == facts.TableMain {
		return false
	}
	for _, route := range a.facts.Pod.Routes {
		if route.Table == facts.TableMain && route.IsDefault() && route.Family() == chosen.Family() && route.Dev != facts.PodVeth {
			a.warn(fmt.Sprintf("podDefaultRouteNIC: the %s default route is that of %s and not of %s: another network of the pod may have chosen it",
				chosen.Family(), route.Dev, chosen.Dev))
			return true
		}
	}
	return false
}
