package doctor

import (
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

func plugins(node Node) []Finding {
	var findings []Finding
	for _, each := range node.Plugins {
		findings = append(findings, each.findings()...)
	}
	return findings
}

func (p Plugin) findings() []Finding {
	var findings []Finding
	subject := "plugin " + p.Target
	level, who := Error, "no pod of the node starts"
	if p.Name != "coordinator" {
		level, who = Warning, "no pod of a network with a VLAN or bond starts on the node"
	}
	switch p.State {
	case install.Current:
	case install.Missing:
		findings = append(findings, Finding{level, subject, "is missing",
			"see the log of this node's installer pod; " + who + " until it is there"})
	case install.Foreign:
		findings = append(findings, Finding{level, subject, "is another product's (Spiderpool has one of this name)",
			"remove that product, or set the chart's value installer.replaceForeign"})
	case install.Stale:
		findings = append(findings, Finding{Warning, subject, "is not the version of this image, damaged, or not executable",
			"the installer replaces it within 10 s; if this stays, see the log of its pod"})
	default:
		findings = append(findings, Finding{Unseen, subject, errorText(p.Err),
			"run this in the installer's pod, or with --source and --target-dir as they are here"})
	}
	if p.Backup != "" {
		findings = append(findings, Finding{Note, "plugin " + p.Backup, "is the backup of another product's plugin",
			"nothing; it stays there while the installer is restarted, and is restored when the product is uninstalled (or now: coordinator-install --restore)"})
	}
	return findings
}

func defaults(node Node) []Finding {
	file := node.Defaults
	subject := "defaults file " + file.Path
	switch {
	case file.Missing:
		return []Finding{{Warning, subject, "is missing",
			"networks whose coordinator section is bare fail on this node: check the ConfigMap of node defaults and the installer's pod"}}
	case file.Err != nil:
		return []Finding{{Error, subject, file.Err.Error(), "delete it and restart the installer's pod of this node"}}
	}
	var findings []Finding
	if file.Stale {
		findings = append(findings, Finding{Warning, subject, "differs from the cluster's values",
			"the installer replaces it within 10 s; if this stays, see the log of its pod"})
	}
	if file.NotReady != "" {
		findings = append(findings, Finding{Error, subject, "says that pods cannot be served: " + file.NotReady,
			"kubectl get spidercoordinator -o yaml: status.reason"})
	}
	return findings
}

func linkManagers(node Node) []Finding {
	var findings []Finding
	for _, manager := range node.LinkManagers {
		if manager.RemovesForeign {
			findings = append(findings, Finding{Warning, manager.Name, "removes the rule and the routes to pods when it is restarted",
				"put cni/host-config's file there as /etc/systemd/networkd.conf.d/90-spidercoordinator.conf (ManageForeignRoutingPolicyRules=no and " +
					"ManageForeignRoutes=no) and restart it"})
		}
		subject, remedy := manager.Name, "put cni/host-config's file there as "+manager.File+" and reload it"
		switch {
		case manager.Unmanaged:
		case node.HostFiles:
			findings = append(findings, Finding{Warning, subject, "runs, and no file makes the node's veth* unmanaged", remedy})
		default:
			findings = append(findings, Finding{Unseen, subject, "runs; whether the node's veth* are unmanaged is in files that are not mounted here",
				"on the node: ls " + manager.File + "; if it is missing, " + remedy})
		}
	}
	return findings
}

// unobservable reports what cannot be observed from here.
func unobservable(node Node) []Finding {
	var findings []Finding
	if !node.HostFiles || node.PodsErr != nil {
		value := "are in their network namespaces"
		if node.PodsErr != nil {
			value += ": " + node.PodsErr.Error()
		}
		findings = append(findings, Finding{Unseen, "pods' own routes, rules and nftables tables", value,
			"as root on the node: coordinator-install doctor --host-root=/, or nsenter -t PID -n and the table From symptom to command"})
	}
	if looksLikePod(node.State) {
		findings = append(findings, Finding{Unseen, "the node's network", "this seems to be a pod's network: nothing is here but eth0, one end of a veth pair",
			"set the chart's value installer.hostNetwork, or run this as root on the node"})
	}
	if node.Containers == nil {
		findings = append(findings, Finding{Unseen, "containers", "the runtime's CNI cache is not mounted here, so veth pairs of deleted containers are not reported",
			"as root on the node: coordinator-install doctor --host-root=/"})
	}
	return findings
}

func looksLikePod(host *facts.NetnsState) bool {
	for _, link := range host.Links {
		if link.Name != "lo" && (link.Name != "eth0" || link.Kind != "veth" || !link.PeerElsewhere) {
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
