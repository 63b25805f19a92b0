package doctor

import (
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

func plugin(node Node) []Finding {
	var found []Finding
	what := "plugin " + node.Target
	switch node.Plugin {
	case install.Current:
	case install.Missing:
		found = append(found, Finding{Error, what, "is missing",
			"see the log of this node's installer pod; no pod of the node starts until it is there"})
	case install.Foreign:
		found = append(found, Finding{Error, what, "is another product's (Spiderpool has one of this name)",
			"remove that product, or set the chart's value installer.replaceForeign"})
	case install.Stale:
		found = append(found, Finding{Warning, what, "is not the version of this image, or not executable",
			"the installer replaces it within 10 s; if this stays, see the log of its pod"})
	default:
		found = append(found, Finding{Unseen, what, errorText(node.PluginErr),
			"run this in the installer's pod, or with --source and --target-dir as they are here"})
	}
	if node.Backup != "" {
		found = append(found, Finding{Note, "plugin " + node.Backup, "is another product's, put aside",
			"nothing; it comes back when the installer stops"})
	}
	return found
}

func defaults(node Node) []Finding {
	file := node.Defaults
	what := "defaults file " + file.Path
	switch {
	case file.Missing:
		return []Finding{{Warning, what, "is missing",
			"networks whose coordinator section is bare fail on this node: check the ConfigMap of node defaults and the installer's pod"}}
	case file.Err != nil:
		return []Finding{{Error, what, file.Err.Error(), "delete it and restart the installer's pod of this node"}}
	}
	var found []Finding
	if file.Stale {
		found = append(found, Finding{Warning, what, "differs from the cluster's values",
			"the installer replaces it within 10 s; if this stays, see the log of its pod"})
	}
	if file.NotReady != "" {
		found = append(found, Finding{Error, what, "says that pods cannot be served: " + file.NotReady,
			"kubectl get spidercoordinator -o yaml: status.reason"})
	}
	return found
}

func managers(node Node) []Finding {
	var found []Finding
	for _, manager := range node.Managers {
		what, do := manager.Name, "put cni/host-config's file there as "+manager.File+" and reload it"
		switch {
		case manager.KeptOff:
		case node.HostFiles:
			found = append(found, Finding{Warning, what, "runs, and no file keeps it off the node's veth*", do})
		default:
			found = append(found, Finding{Unseen, what, "runs; whether it leaves the node's veth* alone is in files that are not mounted here",
				"on the node: ls " + manager.File + "; if it is missing, " + do})
		}
	}
	return found
}

// blind says what nobody sees from here.
func blind(node Node) []Finding {
	found := []Finding{{Unseen, "pods' own routes, rules and nftables tables", "are in their network namespaces",
		"as root on the node: nsenter -t PID -n, and the table From symptom to command; the runtime's CHECK names what differs"}}
	if looksLikePod(node.Space) {
		found = append(found, Finding{Unseen, "the node's network", "this seems to be a pod's network: nothing is here but eth0, one end of a veth pair",
			"set the chart's value installer.hostNetwork, or run this as root on the node"})
	}
	if node.Known == nil {
		found = append(found, Finding{Unseen, "containers", "the runtime's records are not mounted here, so veth pairs of containers that are gone are not told",
			"as root on the node: coordinator-install doctor --host-root=/"})
	}
	return found
}

func looksLikePod(space *facts.Space) bool {
	for _, link := range space.Links {
		if link.Name != "lo" && (link.Name != "eth0" || link.Kind != "veth" || !link.Elsewhere) {
			return false
		}
	}
	return true
}

func errorText(err error) string {
	if err == nil {
		return "was not looked at"
	}
	return err.Error()
}
