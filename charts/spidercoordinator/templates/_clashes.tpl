{{/*
Values that are right by themselves and cannot be together. Helm changes one object after the other, so what only the API
server refuses (or what it takes and no pod survives) would leave a release half changed; each message names both values.
Each problem is one line.
*/}}

{{- define "spidercoordinator.clashes" -}}
{{- include "spidercoordinator.clashes.global" . }}
{{- include "spidercoordinator.clashes.crds" . }}
{{- include "spidercoordinator.clashes.releases" . }}
{{- include "spidercoordinator.clashes.names" . }}
{{- include "spidercoordinator.clashes.ports" . }}
{{- include "spidercoordinator.clashes.certManager" . }}
{{- include "spidercoordinator.clashes.monitor" . }}
{{- include "spidercoordinator.clashes.podMonitor" . }}
{{- include "spidercoordinator.clashes.budget" . }}
{{- include "spidercoordinator.clashes.pods" . }}
{{- include "spidercoordinator.clashes.update" . }}
{{- include "spidercoordinator.clashes.dns" . }}
{{- end -}}

{{/* A parent chart shares its own keys of `global`; without one, an unknown key is a typing error. */}}
{{- define "spidercoordinator.clashes.global" -}}
{{- $known := list
      "imageRegistryOverride" "imagePullSecrets" "commonLabels" "commonAnnotations" "cniBinHostPath" "ciliumConfigMap"
      "agentNamespaces" -}}
{{- if not (contains "/charts/" .Template.BasePath) -}}
{{- range $key, $value := .Values.global -}}
{{- if not (has $key $known) }}
global.{{ $key }} is {{ toJson $value }}, and there is no such value; allowed: global.{{ join ", global." $known }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Helm deletes what leaves a release, and with a CRD go all objects of its kind. */}}
{{- define "spidercoordinator.clashes.crds" -}}
{{- if not .Values.crds.enabled -}}
{{- range $path, $_ := .Files.Glob "crds/*.yaml" -}}
{{- $name := ($.Files.Get $path | fromYaml).metadata.name -}}
{{- $marks := dig "metadata" "annotations" dict (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name) -}}
{{- $owner := list (get $marks "meta.helm.sh/release-name") (get $marks "meta.helm.sh/release-namespace") -}}
{{- if and (eq (join "/" $owner) (printf "%s/%s" $.Release.Name $.Release.Namespace)) (ne (get $marks "helm.sh/resource-policy") "keep") }}
crds.enabled is false, and the release installed {{ $name }} with crds.keep false, so that helm would delete it and all its objects; allowed: first upgrade with crds.enabled=true and crds.keep=true
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Two operators would write the same NetworkAttachmentDefinitions, each as its own values say. */}}
{{- define "spidercoordinator.clashes.releases" -}}
{{- range (lookup "apps/v1" "Deployment" "" "").items | default list -}}
{{- $labels := .metadata.labels | default dict -}}
{{- if and (eq (get $labels "app.kubernetes.io/part-of") "spidercoordinator") (eq (get $labels "app.kubernetes.io/component") "operator") -}}
{{- $marks := .metadata.annotations | default dict -}}
{{- $name := get $marks "meta.helm.sh/release-name" | default (get $labels "app.kubernetes.io/instance") -}}
{{- $namespace := get $marks "meta.helm.sh/release-namespace" | default .metadata.namespace -}}
{{- if or (ne $name $.Release.Name) (ne $namespace $.Release.Namespace) }}
The release is {{ $.Release.Name }} in namespace {{ $.Release.Namespace }}, and release {{ $name }} in namespace {{ $namespace }} runs Deployment {{ .metadata.namespace }}/{{ .metadata.name }}, which renders all networks of the cluster; allowed: one release in a cluster, so helm upgrade {{ $name }} -n {{ $namespace }}, or helm uninstall {{ $name }} -n {{ $namespace }} first
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.clashes.names" -}}
{{- $name := include "spidercoordinator.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
The release's name {{ quote .Release.Name }} with nameOverride {{ quote .Values.nameOverride }} and fullnameOverride {{ quote .Values.fullnameOverride }} makes objects named {{ quote $name }}; allowed: a letter first, then lower-case letters, digits and "-", such as fullnameOverride {{ quote .Chart.Name }}
{{- end -}}
{{- $accounts := dict
      (include "spidercoordinator.uninstall.name" .) (list "uninstall.enabled" .Values.uninstall.enabled "the account of the Job before an uninstall")
      (include "spidercoordinator.metricsReader.name" .) (list "metrics.podMonitor.enabled" (and .Values.metrics.podMonitor.enabled (not .Values.metrics.podMonitor.tokenSecret.name)) "the account that reads metrics")
      (include "spidercoordinator.test.name" .) (list "test.enabled" .Values.test.enabled "the account of helm test") -}}
{{- range $part := list "operator" "installer" -}}
{{- $account := index $.Values $part "serviceAccount" -}}
{{- $own := include (printf "spidercoordinator.%s.serviceAccount" $part) $ -}}
{{- if $account.create -}}
{{- with get $accounts $own -}}
{{- if index . 1 }}
{{ $part }}.serviceAccount.name is {{ quote $own }}, as is {{ index . 2 }} ({{ index . 0 }}); allowed: two names, for each has rights of its own
{{- end -}}
{{- end -}}
{{- $_ := set $accounts $own (list (printf "%s.serviceAccount.create" $part) true (printf "%s.serviceAccount.name" $part)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.clashes.ports" -}}
{{- with .Values.operator -}}
{{- if and .webhook.enabled (eq (int64 .httpPort) (int64 .webhook.port)) }}
operator.httpPort is {{ int64 .httpPort }} and operator.webhook.port is {{ int64 .webhook.port }}; allowed: two ports, for one pod listens on both
{{- end -}}
{{- end -}}
{{- $installer := .Values.installer -}}
{{- if and $installer.metrics.enabled $installer.hostNetwork .Values.operator.hostNetwork -}}
{{- range $path, $port := dict "operator.httpPort" .Values.operator.httpPort "operator.webhook.port" (ternary .Values.operator.webhook.port 0 .Values.operator.webhook.enabled) -}}
{{- if eq (int64 $port) (int64 $installer.metrics.port) }}
installer.metrics.port is {{ int64 $installer.metrics.port }}, as is {{ $path }}, and both pods are on the node's network (installer.hostNetwork, operator.hostNetwork); allowed: two ports
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether there is a cluster is seen by a namespace that each has. */}}
{{- define "spidercoordinator.clashes.certManager" -}}
{{- with .Values.operator.webhook -}}
{{- if .certManager.enabled -}}
{{- if not .enabled }}
operator.webhook.certManager.enabled is true and operator.webhook.enabled is false; allowed: both true, for there is no other certificate
{{- else if and (lookup "v1" "Namespace" "" "kube-system") (not ($.Capabilities.APIVersions.Has "cert-manager.io/v1/Certificate")) }}
operator.webhook.certManager.enabled is true, and the cluster does not serve the kind Certificate of cert-manager.io/v1; allowed: install cert-manager first, or false to let the operator make the certificate
{{- end -}}
{{- else if .certManager.issuerRef.name }}
operator.webhook.certManager.issuerRef.name is {{ quote .certManager.issuerRef.name }} and operator.webhook.certManager.enabled is false; allowed: both, or neither
{{- end -}}
{{- if and .certManager.enabled (not .certManager.issuerRef.name) (or (ne .certManager.issuerRef.kind "Issuer") (ne .certManager.issuerRef.group "cert-manager.io")) }}
operator.webhook.certManager.issuerRef has kind {{ .certManager.issuerRef.kind }} and group {{ .certManager.issuerRef.group }} and name ""; allowed: kind and group with a name only
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A duration in milliseconds; nothing of what is none. */}}
{{- define "spidercoordinator.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 -}}
{{- $unit := regexFind "(ms|s|m|h)$" . -}}
{{- if $unit }}{{ mul (int64 (trimSuffix $unit .)) (get $units $unit) }}{{ end -}}
{{- end -}}

{{- define "spidercoordinator.clashes.monitor" -}}
{{- $monitor := .Values.metrics.serviceMonitor -}}
{{- if $monitor.enabled -}}
{{- if not .Values.metrics.service.enabled }}
metrics.serviceMonitor.enabled is true and metrics.service.enabled is false; allowed: both true, for a ServiceMonitor finds pods by their Service
{{- end -}}
{{- with $monitor.scrapeTimeout -}}
{{- if gt (include "spidercoordinator.milliseconds" . | int64) (include "spidercoordinator.milliseconds" $monitor.interval | int64) }}
metrics.serviceMonitor.scrapeTimeout is {{ . }} and metrics.serviceMonitor.interval is {{ $monitor.interval }}; allowed: a timeout not longer than the interval
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The nodes' metrics can only be scraped where they are served, and by an account that may. */}}
{{- define "spidercoordinator.clashes.podMonitor" -}}
{{- with .Values.metrics.podMonitor -}}
{{- if .enabled -}}
{{- if not $.Values.installer.metrics.enabled }}
metrics.podMonitor.enabled is true and installer.metrics.enabled is false; allowed: both true, for nothing listens on the nodes otherwise
{{- end -}}
{{- if and (not .tokenSecret.name) (not $.Values.rbac.create) }}
metrics.podMonitor.tokenSecret.name is "" and rbac.create is false; allowed: the name of a Secret with the token of an account that may get /metrics, for the chart may bind none
{{- end -}}
{{- if and (not .tokenSecret.name) (ne .tokenSecret.key "token") }}
metrics.podMonitor.tokenSecret.key is {{ quote .tokenSecret.key }} and metrics.podMonitor.tokenSecret.name is ""; allowed: "token", for that is the key in the Secret which Kubernetes fills
{{- end -}}
{{- with .scrapeTimeout -}}
{{- if gt (include "spidercoordinator.milliseconds" . | int64) (include "spidercoordinator.milliseconds" $.Values.metrics.podMonitor.interval | int64) }}
metrics.podMonitor.scrapeTimeout is {{ . }} and metrics.podMonitor.interval is {{ $.Values.metrics.podMonitor.interval }}; allowed: a timeout not longer than the interval
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.clashes.budget" -}}
{{- with .Values.operator.podDisruptionBudget -}}
{{- if .enabled -}}
{{- $given := 0 -}}
{{- range list .minAvailable .maxUnavailable -}}
{{- if ne (include "spidercoordinator.text" .) "" }}{{ $given = add $given 1 }}{{ end -}}
{{- end -}}
{{- if ne (int $given) 1 }}
operator.podDisruptionBudget has minAvailable {{ include "spidercoordinator.text" .minAvailable | quote }} and maxUnavailable {{ include "spidercoordinator.text" .maxUnavailable | quote }}; one of them must be ""
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Volumes, mounts, options and variables of the user's beside the chart's own, of which each may be there once. */}}
{{- define "spidercoordinator.clashes.pods" -}}
{{- $installer := dict
      "extraVolumes" (list "cni-bin" "state" "node-defaults" "pod" "account" "tls")
      "extraVolumeMounts" (list "/host/cni-bin" "/host/state" "/etc/spidercoordinator/node-defaults" "/etc/spidercoordinator/pod") -}}
{{- $operator := dict "extraVolumes" (list "tmp") "extraVolumeMounts" (list "/tmp") -}}
{{- if eq (include "spidercoordinator.webhook.certManager" .) "true" -}}
{{- $operator = dict
      "extraVolumes" (list "tmp" "webhook-certificate")
      "extraVolumeMounts" (list "/tmp" (include "spidercoordinator.webhook.mountPath" .)) -}}
{{- end -}}
{{- range $part, $own := dict "operator" $operator "installer" $installer -}}
{{- $values := index $.Values $part -}}
{{- $volumes := $own.extraVolumes -}}
{{- range $i, $volume := $values.extraVolumes -}}
{{- if has $volume.name $volumes }}
{{ $part }}.extraVolumes[{{ $i }}].name is {{ quote $volume.name }}, as is another volume's of the pod; allowed: a name that is none of {{ join ", " (uniq $volumes) }}
{{- end -}}
{{- $volumes = append $volumes $volume.name -}}
{{- end -}}
{{- $paths := $own.extraVolumeMounts -}}
{{- range $i, $mount := $values.extraVolumeMounts -}}
{{- if has (trimSuffix "/" $mount.mountPath) $paths }}
{{ $part }}.extraVolumeMounts[{{ $i }}].mountPath is {{ quote $mount.mountPath }}, as is another mount's of the pod; allowed: a path that is none of {{ join ", " (uniq $paths) }}
{{- end -}}
{{- $paths = append $paths (trimSuffix "/" $mount.mountPath) -}}
{{- if not (has $mount.name $volumes) }}
{{ $part }}.extraVolumeMounts[{{ $i }}].name is {{ quote $mount.name }}, which is none of {{ $part }}.extraVolumes; allowed: {{ join ", " (uniq $volumes) }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $options := list -}}
{{- range $i, $argument := .Values.operator.extraArgs -}}
{{- $option := regexFind "^--[a-z-]+" $argument -}}
{{- if has $option $options }}
operator.extraArgs[{{ $i }}] is {{ quote $argument }}, and {{ $option }} is there already; allowed: an option once
{{- end -}}
{{- $options = append $options $option -}}
{{- end -}}
{{- range $part, $names := dict "operator" (include "spidercoordinator.operator.environment" . | fromYamlArray) "installer" list -}}
{{- $taken := list -}}
{{- range $names }}{{ $taken = append $taken .name }}{{ end -}}
{{- range $i, $variable := index $.Values $part "extraEnv" -}}
{{- if has $variable.name $taken }}
{{ $part }}.extraEnv[{{ $i }}].name is {{ quote $variable.name }}, which is set already (by another value or another entry); allowed: a variable once
{{- end -}}
{{- $taken = append $taken $variable.name -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.clashes.update" -}}
{{- range $part := list "operator" "installer" -}}
{{- with index $.Values $part "updateStrategy" -}}
{{- $type := .type | default "RollingUpdate" -}}
{{- if and (ne $type "RollingUpdate") .rollingUpdate }}
{{ $part }}.updateStrategy.type is {{ $type }} and {{ $part }}.updateStrategy.rollingUpdate is {{ toJson .rollingUpdate }}; allowed: rollingUpdate with type RollingUpdate only
{{- end -}}
{{- with .rollingUpdate -}}
{{- $surge := include "spidercoordinator.text" .maxSurge | default (ternary "25%" "0" (eq $part "operator")) -}}
{{- $away := include "spidercoordinator.text" .maxUnavailable | default (ternary "25%" "1" (eq $part "operator")) -}}
{{- if and (has $surge (list "0" "0%")) (has $away (list "0" "0%")) }}
{{ $part }}.updateStrategy.rollingUpdate has maxSurge {{ $surge }} and maxUnavailable {{ $away }}; allowed: one of them at least 1, or no pod could be replaced
{{- else if and (eq $part "installer") (not (has $surge (list "0" "0%"))) (not (has $away (list "0" "0%"))) }}
installer.updateStrategy.rollingUpdate has maxSurge {{ $surge }} and maxUnavailable {{ $away }}; allowed: one of them 0, in a DaemonSet
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.clashes.dns" -}}
{{- with .Values.operator -}}
{{- if and (eq .dnsPolicy "None") (not (dig "nameservers" list .dnsConfig)) }}
operator.dnsPolicy is None and operator.dnsConfig.nameservers is []; allowed: at least one name server with None
{{- end -}}
{{- end -}}
{{- with .Values.services -}}
{{- $families := .ipFamilies -}}
{{- if ne (len $families) (len (uniq $families)) }}
services.ipFamilies is {{ toJson $families }}; allowed: each family once
{{- else if and (gt (len $families) 1) (has .ipFamilyPolicy (list "" "SingleStack")) }}
services.ipFamilyPolicy is {{ quote .ipFamilyPolicy }} and services.ipFamilies is {{ toJson $families }}; allowed: one family, or PreferDualStack or RequireDualStack
{{- end -}}
{{- end -}}
{{- end -}}
