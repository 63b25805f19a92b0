{{/*
Refuses values before anything of the release exists. values.schema.json runs first and looks at names, types, ranges and
patterns; what it cannot say, or can say only in a way that helps nobody (addresses), is said here. Which values cannot be
together is in _clashes.tpl.
*/}}

{{- define "spidercoordinator.validate" -}}
{{- $problems := list -}}
{{- if .Values.coordinator.enabled -}}
{{- $problems = concat $problems (include "spidercoordinator.problems.choices" .Values.coordinator | splitList "\n") -}}
{{- $problems = concat $problems (include "spidercoordinator.problems.numbers" .Values.coordinator | splitList "\n") -}}
{{- $problems = concat $problems (include "spidercoordinator.problems.addresses" .Values.coordinator | splitList "\n") -}}
{{- $problems = concat $problems (include "spidercoordinator.problems.policyRoutes" .Values.coordinator | splitList "\n") -}}
{{- end -}}
{{- $problems = concat $problems (include "spidercoordinator.problems.release" . | splitList "\n") -}}
{{- $problems = concat $problems (include "spidercoordinator.problems.images" . | splitList "\n") -}}
{{- $problems = concat $problems (include "spidercoordinator.clashes" . | splitList "\n") -}}
{{- with compact $problems -}}
{{- fail (printf "\n\nNothing was installed or changed. Correct these values (--set or values file):\n  - %s\n" (join "\n  - " .)) -}}
{{- end -}}
{{- end -}}

{{/* A value as text; what --set made a number, a truth value or nothing is no template error. */}}
{{- define "spidercoordinator.text" -}}
{{- if not (kindIs "invalid" .) }}{{ toString . }}{{ end -}}
{{- end -}}

{{- define "spidercoordinator.problems.choices" -}}
{{- $choices := dict
      "mode" (list "auto" "underlay" "overlay" "disabled" "disable")
      "podCIDRType" (list "auto" "cluster" "calico" "cilium" "none") -}}
{{- range $field, $allowed := $choices -}}
{{- $value := include "spidercoordinator.text" (index $ $field) -}}
{{- if not (has $value $allowed) }}
coordinator.{{ $field }} is {{ quote $value }}; allowed: {{ join ", " $allowed }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What is left out of the ranges that the schema tells. */}}
{{- define "spidercoordinator.problems.numbers" -}}
{{- $table := int64 .hostRuleTable -}}
{{- if has $table (list (int64 253) (int64 254) (int64 255)) }}
coordinator.hostRuleTable is {{ $table }}; allowed: 1 to 4294967295 without the kernel's own tables 253, 254 and 255
{{- end -}}
{{- $mtu := int64 .vethMTU -}}
{{- if and (gt $mtu 0) (lt $mtu 68) }}
coordinator.vethMTU is {{ $mtu }}; allowed: 68 to 65535, or 0 to take the smallest MTU on the path
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.problems.addresses" -}}
{{- $address := include "spidercoordinator.text" .vethLinkAddress -}}
{{- if has $address (list "" "none") -}}
{{- else if not (include "spidercoordinator.isIP" $address) }}
coordinator.vethLinkAddress is {{ quote $address }}, which is not an IP address; allowed: one IPv4 or IPv6 address without prefix length, such as 169.254.100.1, or "" for none
{{- else if not (include "spidercoordinator.isAssignable" $address) }}
coordinator.vethLinkAddress is {{ quote $address }}, which cannot be the address of an interface; allowed: one such as 169.254.100.1, not an unspecified, loopback, multicast or broadcast address
{{- end -}}
{{- $mac := include "spidercoordinator.text" .podMACPrefix -}}
{{- if not (regexMatch "^([0-9A-Fa-f][02468ACEace]:[0-9A-Fa-f]{2}|none)?$" $mac) }}
coordinator.podMACPrefix is {{ quote $mac }}; allowed: two hex octets of a unicast address (the first one even), such as 0a:1b, or "" for none
{{- end -}}
{{- $nic := include "spidercoordinator.text" .podDefaultRouteNIC -}}
{{- if or (not (regexMatch "^[!-.0-9;-~]{0,15}$" $nic)) (has $nic (list "." "..")) }}
coordinator.podDefaultRouteNIC is {{ quote $nic }}; allowed: the name of an interface (at most 15 characters, no blank, "/" or ":"), or "" to keep the first
{{- else if has $nic (list "lo" "veth0") }}
coordinator.podDefaultRouteNIC is {{ quote $nic }}, which cannot have the default route; allowed: an interface of pods that a network makes, such as net1, or "" to keep the first
{{- end -}}
{{- range $field := list "podCIDR" "serviceCIDR" "hijackCIDR" -}}
{{- $seen := list -}}
{{- range $i, $network := index $ $field -}}
{{- if not (include "spidercoordinator.isNetwork" (toString $network)) }}
coordinator.{{ $field }}[{{ $i }}] is {{ quote $network }}; allowed: an IP address or a CIDR, such as 169.254.0.0/16 or fd00::/64
{{- else if has $network $seen }}
coordinator.{{ $field }}[{{ $i }}] is {{ quote $network }}, which is in the list twice; remove one
{{- end -}}
{{- $seen = append $seen $network -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.problems.policyRoutes" -}}
{{- range $i, $route := .policyRoutes -}}
{{- $dst := toString $route.dst -}}
{{- $gw := toString $route.gw -}}
{{- if not (include "spidercoordinator.isNetwork" $dst) }}
coordinator.policyRoutes[{{ $i }}].dst is {{ quote $dst }}; allowed: an IP address or a CIDR, such as 10.6.0.0/16
{{- else if not (include "spidercoordinator.isIP" $gw) }}
coordinator.policyRoutes[{{ $i }}].gw is {{ quote $gw }}; allowed: an IP address, such as 10.6.0.1
{{- else if not (include "spidercoordinator.isAssignable" $gw) }}
coordinator.policyRoutes[{{ $i }}].gw is {{ quote $gw }}, which cannot be the address of a gateway; allowed: that of a router, such as 10.6.0.1
{{- else if ne (contains ":" $dst) (contains ":" $gw) }}
coordinator.policyRoutes[{{ $i }}] has dst {{ quote $dst }} and gw {{ quote $gw }}; both must be IPv4, or both IPv6
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
No public registry has the images, so pods of the default ones would wait for them without end. What a node has was loaded
there. Without nodes, as in `helm template`, nobody can tell.
*/}}
{{- define "spidercoordinator.problems.images" -}}
{{- $nodes := (lookup "v1" "Node" "" "").items | default list -}}
{{- $present := list -}}
{{- range $nodes -}}
{{- range .status.images | default list -}}
{{- $present = concat $present (.names | default list) -}}
{{- end -}}
{{- end -}}
{{- $images := dict "operator" .Values.operator.image "installer" .Values.installer.image -}}
{{- if and $nodes (not .Values.global.imageRegistryOverride) -}}
{{- range $part, $image := $images -}}
{{- $name := include "spidercoordinator.image" (list $ $image) -}}
{{- if and (eq $image.registry "ghcr.io") (hasPrefix "spidercoordinator/" $image.repository) (not (has $name $present)) }}
global.imageRegistryOverride is "" and {{ $part }}.image is {{ $name }}, which is in no public registry and on no node; allowed: the registry that you pushed the images to, or localhost where they are loaded onto the nodes (README.md, "Build the images")
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.problems.release" -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" .Values.coordinator.name) }}
coordinator.name is {{ quote .Values.coordinator.name }}; allowed: a name of a Kubernetes object (lower-case letters, digits, "-" and ".")
{{- end -}}
{{- $type := .Values.defaultIPAM.type -}}
{{- if and .Values.defaultIPAM (not (and (kindIs "string" $type) $type)) }}
defaultIPAM.type is {{ toJson $type }}; allowed: the name of a CNI IPAM plugin, such as spiderpool, whereabouts or host-local, or no defaultIPAM at all
{{- end -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" .Values.global.ciliumConfigMap) }}
global.ciliumConfigMap is {{ quote .Values.global.ciliumConfigMap }}; allowed: namespace/name, such as kube-system/cilium-config
{{- end -}}
{{- if not .Values.global.agentNamespaces }}
global.agentNamespaces is []; allowed: names of namespaces, such as kube-system
{{- end -}}
{{- range .Values.global.agentNamespaces -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" (toString .)) }}
global.agentNamespaces has {{ quote . }}; allowed: names of namespaces, such as kube-system
{{- end -}}
{{- end -}}
{{- $path := clean .Values.global.cniBinHostPath -}}
{{- if or (not (hasPrefix "/" $path)) (eq $path "/") (contains ":" $path) (has ".." (splitList "/" .Values.global.cniBinHostPath)) }}
global.cniBinHostPath is {{ quote .Values.global.cniBinHostPath }}; allowed: an absolute path on the nodes without ".." and ":", such as /opt/cni/bin
{{- else if or (eq $path "/var/lib/spidercoordinator") (hasPrefix "/var/lib/spidercoordinator/" $path) }}
global.cniBinHostPath is {{ quote .Values.global.cniBinHostPath }}, where the installer keeps /var/lib/spidercoordinator; allowed: another path on the nodes, such as /opt/cni/bin
{{- end -}}
{{- end -}}
