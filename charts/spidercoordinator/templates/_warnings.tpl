{{/* What is allowed and yet may surprise: one line each, shown by NOTES.txt. */}}

{{- define "spidercoordinator.warnings" -}}
{{- $address := include "spidercoordinator.text" .Values.coordinator.vethLinkAddress -}}
{{- $taken := dict
      "169.254.169.254" "the metadata service of many clouds"
      "169.254.169.253" "the resolver of AWS"
      "169.254.169.123" "the time service of AWS"
      "169.254.170.2" "the credentials service of AWS"
      "169.254.170.23" "EKS Pod Identity"
      "169.254.7.127" "Istio ambient's health probes"
      "169.254.20.10" "the node-local DNS cache"
      "169.254.25.10" "Kubespray's node-local DNS cache"
      "169.254.1.1" "the gateway of Calico's pods"
      "fe80::ecee:eeff:feee:eeee" "the gateway of Calico's pods"
      "169.254.169.252" "the metadata server of GKE"
      "169.254.0.252" "Antrea's Services"
      "169.254.0.253" "Antrea's Services"
      "fe80::a9fe:a9fe" "the metadata service of OpenStack"
      "fd00:ec2::254" "the metadata service of AWS"
      "fd00:ec2::253" "the resolver of AWS"
      "fd00:ec2::123" "the time service of AWS"
      "fd00:ec2::23" "EKS Pod Identity"
      "fd20:ce::254" "the metadata service of Google Cloud"
      "168.63.129.16" "the platform of Azure"
      "100.100.100.200" "the metadata service of Alibaba Cloud"
      "100.100.100.100" "the resolver of Tailscale"
      "fd16:9254:7127:1337:ffff:ffff:ffff:ffff" "the health probes of Istio's ambient mode"
      "169.254.0.0" "the network 169.254.0.0/16 as a whole"
      "169.254.255.255" "all hosts of 169.254.0.0/16, as their broadcast address" -}}
{{- if not .Values.coordinator.enabled }}
coordinator.enabled is false: create a SpiderCoordinator named {{ .Values.coordinator.name | quote }} yourself, or pods of new SpiderMultusConfigs cannot start. Those that were rendered before keep what they have, and do not follow changes until it exists.
{{- else if hasKey $taken (lower $address) }}
coordinator.vethLinkAddress {{ $address }} is the address of {{ get $taken (lower $address) }}; pods cannot reach that any more. Use another one, such as 169.254.100.1.
{{- else if and (not (has $address (list "" "none"))) (not (include "spidercoordinator.isLinkLocal" $address)) }}
coordinator.vethLinkAddress {{ $address }} is not link-local (169.254.0.0/16 or fe80::/10); pods cannot reach another host of that address.
{{- end }}
{{- if and .Values.operator.webhook.enabled (eq .Values.operator.webhook.failurePolicy "Fail") }}
operator.webhook.failurePolicy is Fail: while no operator answers, no SpiderMultusConfig can be created or changed.
{{- end }}
{{- if not (.Capabilities.APIVersions.Has "spiderpool.spidernet.io/v2beta1/SpiderIPPool") }}
{{- if not .Values.defaultIPAM }}
defaultIPAM is not set, and Spiderpool's IPAM is not installed here: a SpiderMultusConfig without spec.ipam says that it has no IPAM, and its pods do not start. Set spec.ipam there, or defaultIPAM, such as --set defaultIPAM.type=whereabouts --set defaultIPAM.range=172.30.8.0/21.
{{- else if eq .Values.defaultIPAM.type "spiderpool" }}
defaultIPAM.type is "spiderpool", but Spiderpool's IPAM is not installed here: SpiderMultusConfigs without spec.ipam make pods that cannot start. Install it, or set defaultIPAM to another plugin.
{{- end }}
{{- end }}
{{- if not (.Capabilities.APIVersions.Has "k8s.cni.cncf.io/v1/NetworkAttachmentDefinition") }}
The kind NetworkAttachmentDefinition is not installed: install Multus. The operator waits for it.
{{- end }}
{{- if and .Values.crds.enabled (not .Values.crds.keep) }}
crds.keep is false: helm uninstall deletes the CRDs, and with them all SpiderMultusConfigs and their NetworkAttachmentDefinitions.
{{- end }}
{{- range $path, $_ := .Files.Glob (ternary "none" "crds/*.yaml" .Values.crds.enabled) }}
{{- $crd := $.Files.Get $path | fromYaml }}
{{- $installed := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $crd.metadata.name }}
{{- if $installed }}
{{- if ne ((first $installed.spec.versions).schema | toJson) ((first $crd.spec.versions).schema | toJson) }}
The CRD {{ $crd.metadata.name }} of this cluster is another version's, and helm does not replace CRDs. Run: helm show crds CHART | kubectl apply --server-side --force-conflicts -f - (or let helm do it from now on: --set crds.enabled=true --take-ownership)
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
