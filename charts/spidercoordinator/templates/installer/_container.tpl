{{/* The flags that name the plugins and where they belong. Call with $. */}}
{{- define "spidercoordinator.installer.plugins" -}}
- --source=/coordinator
{{- if .Values.installer.ifacer }}
- --source=/ifacer
{{- end }}
- --target-dir=/host/cni-bin
{{- end -}}

{{/* A container that installs the plugins. Call with (list $ FLAG...). */}}
{{- define "spidercoordinator.installer.container" -}}
{{- $root := first . -}}
{{- $installer := $root.Values.installer -}}
{{- $context := $installer.securityContext -}}
{{- /* The resident container alone puts back rules of the node, and alone has the capability for it. */}}
{{- $restores := and $installer.restoreRules $installer.hostNetwork (not (has "--once" (rest .))) -}}
{{- if $restores -}}
{{- $capabilities := dig "capabilities" dict $context -}}
{{- $added := append (dig "add" list $capabilities) "NET_ADMIN" | uniq -}}
{{- $context = merge (dict "capabilities" (merge (dict "add" $added) $capabilities)) $context -}}
{{- end -}}
image: {{ include "spidercoordinator.image" (list $root $installer.image) }}
imagePullPolicy: {{ $installer.image.pullPolicy }}
command: [/coordinator-install]
args:
  {{- include "spidercoordinator.installer.plugins" $root | nindent 2 }}
  - --defaults-source=/etc/spidercoordinator/node-defaults/coordinator.json
  - --defaults-target=/host/state/defaults.json
  {{- if $installer.replaceForeign }}
  - --replace-foreign
  - --uninstall-mark=/etc/spidercoordinator/pod/uninstall
  {{- end }}
  {{- if $restores }}
  - --restore-rules
  {{- end }}
  {{- if $installer.metrics.enabled }}
  - --count
  {{- end }}
  {{- range rest . }}
  - {{ . }}
  {{- end }}
{{- /* So that the pod says why it cannot install. */}}
terminationMessagePolicy: FallbackToLogsOnError
{{- with $installer.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml $installer.resources | nindent 2 }}
securityContext:
  {{- toYaml $context | nindent 2 }}
volumeMounts:
  - name: cni-bin
    mountPath: /host/cni-bin
  - name: state
    mountPath: /host/state
  - name: node-defaults
    mountPath: /etc/spidercoordinator/node-defaults
    readOnly: true
  {{- if $installer.replaceForeign }}
  - name: pod
    mountPath: /etc/spidercoordinator/pod
    readOnly: true
  {{- end }}
  {{- with $installer.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
