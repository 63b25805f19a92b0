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

{{/* The labels of a pod template. Call with (list $ "operator" .Values.operator.podLabels). */}}
{{- define "spidercoordinator.podLabels" -}}
{{- $root := index . 0 -}}
{{- $selector := include "spidercoordinator.selectorLabels" . | fromYaml -}}
{{- toYaml (merge (dict) $selector (index . 2) $root.Values.global.commonLabels) -}}
{{- end -}}

{{/* The annotations of a pod template. Call with (list $ "container" .Values.operator.podAnnotations). */}}
{{- define "spidercoordinator.podAnnotations" -}}
{{- $root := index . 0 -}}
{{- $default := dict "kubectl.kubernetes.io/default-container" (index . 1) -}}
{{- toYaml (merge (dict) (index . 2) $default $root.Values.global.commonAnnotations) -}}
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
