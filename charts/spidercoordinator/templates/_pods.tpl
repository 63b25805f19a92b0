{{/* What the pod templates have in common. */}}

{{/* An image reference. Call with (list $ .Values.operator.image). */}}
{{- define "spidercoordinator.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := $root.Values.global.imageRegistryOverride | default $image.registry -}}
{{- with $registry }}{{ . | trimSuffix "/" }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/* The imagePullSecrets block, or nothing. Call with (list $ .Values.operator.image). */}}
{{- define "spidercoordinator.imagePullSecrets" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $names := list -}}
{{- range concat $root.Values.global.imagePullSecrets $image.imagePullSecrets -}}
{{- if kindIs "map" . }}{{ $names = append $names .name }}{{ else }}{{ $names = append $names . }}{{ end -}}
{{- end -}}
{{- with uniq $names -}}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/*
No sidecar beside any pod of ours, in whatever namespace: a Job would never end, the API server could not reach the
webhook, and the node's plugin would wait for the mesh that waits for it. The user's own labels and annotations win.
*/}}
{{- define "spidercoordinator.noSidecar.labels" -}}
sidecar.istio.io/inject: "false"
istio.io/dataplane-mode: none
kuma.io/sidecar-injection: disabled
{{- end -}}
{{- define "spidercoordinator.noSidecar.annotations" -}}
sidecar.istio.io/inject: "false"
linkerd.io/inject: disabled
kuma.io/sidecar-injection: disabled
consul.hashicorp.com/connect-inject: "false"
openservicemesh.io/sidecar-injection: disabled
{{- end -}}

{{/* The labels of a pod template. Call with (list $ "operator" .Values.operator.podLabels). */}}
{{- define "spidercoordinator.podLabels" -}}
{{- $root := index . 0 -}}
{{- $selector := include "spidercoordinator.selectorLabels" . | fromYaml -}}
{{- $noSidecar := include "spidercoordinator.noSidecar.labels" . | fromYaml -}}
{{- toYaml (merge (dict) $selector (index . 2) $root.Values.global.commonLabels $noSidecar) -}}
{{- end -}}

{{/* The annotations of a pod template. Call with (list $ "container" .Values.operator.podAnnotations). */}}
{{- define "spidercoordinator.podAnnotations" -}}
{{- $root := index . 0 -}}
{{- $default := dict "kubectl.kubernetes.io/default-container" (index . 1) -}}
{{- $noSidecar := include "spidercoordinator.noSidecar.annotations" . | fromYaml -}}
{{- toYaml (merge (dict) (index . 2) $default $root.Values.global.commonAnnotations $noSidecar) -}}
{{- end -}}

{{/* How the operator's pods, and the uninstall's, reach the API server. */}}
{{- define "spidercoordinator.operator.network" -}}
{{- with .Values.operator -}}
{{- if .hostNetwork }}
hostNetwork: true
{{- end }}
{{- with .dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" .hostNetwork) }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
{{- end -}}

{{/*
With the node's network a new pod cannot be beside the old one on a node, whose ports are taken: the old one goes first, or a
cluster of one node never ends an upgrade.
*/}}
{{- define "spidercoordinator.operator.strategy" -}}
{{- if .Values.operator.updateStrategy -}}
{{- toYaml .Values.operator.updateStrategy -}}
{{- else -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: {{ ternary "0" "25%" .Values.operator.hostNetwork }}
  maxUnavailable: {{ ternary "1" "25%" .Values.operator.hostNetwork }}
{{- end -}}
{{- end -}}

{{/* The address families of a Service; nothing of the cluster's own default. */}}
{{- define "spidercoordinator.ipFamilies" -}}
{{- with .Values.services.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.services.ipFamilies }}
ipFamilies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Constraints that name no pods mean the operator's own. */}}
{{- define "spidercoordinator.topologySpread" -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "spidercoordinator.selectorLabels" (list . "operator") | fromYaml)) -}}
{{- $constraints := list -}}
{{- range .Values.operator.topologySpreadConstraints -}}
{{- $constraints = append $constraints (merge (dict) . $own) -}}
{{- end -}}
{{- toYaml $constraints -}}
{{- end -}}

{{/* Replicas prefer different nodes, unless the user says where they go. */}}
{{- define "spidercoordinator.affinity" -}}
{{- if .Values.operator.affinity -}}
affinity:
  {{- toYaml .Values.operator.affinity | nindent 2 }}
{{- else if gt (int .Values.operator.replicas) 1 -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "spidercoordinator.selectorLabels" (list . "operator") | nindent 14 }}
{{- end -}}
{{- end -}}
