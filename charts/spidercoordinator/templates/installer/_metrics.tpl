{{/*
The container that serves the node's metrics. It reads the node and asks the API server who may read it; it is not root, has no
capability and changes nothing. Call with $.
*/}}
{{- define "spidercoordinator.installer.metrics" -}}
{{- $installer := .Values.installer -}}
{{- $context := dict
      "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532
      "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- $context = merge $context (pick $installer.securityContext "seccompProfile" "seLinuxOptions" "appArmorProfile") -}}
image: {{ include "spidercoordinator.image" (list . $installer.image) }}
imagePullPolicy: {{ $installer.image.pullPolicy }}
command: [/coordinator-metrics]
args:
  - --listen=:{{ $installer.metrics.port | int64 }}
  - --counters=/host/state/counters
  - --plugin-dir=/host/cni-bin
  {{- if $installer.hostNetwork }}
  - --interfaces
  {{- end }}
  {{- if $installer.metrics.tlsSecret }}
  - --certificate-dir=/etc/spidercoordinator/tls
  {{- end }}
ports:
  - name: metrics
    containerPort: {{ $installer.metrics.port | int64 }}
terminationMessagePolicy: FallbackToLogsOnError
resources:
  {{- toYaml $installer.metrics.resources | nindent 2 }}
securityContext:
  {{- toYaml $context | nindent 2 }}
volumeMounts:
  - name: cni-bin
    mountPath: /host/cni-bin
    readOnly: true
  - name: state
    mountPath: /host/state
    readOnly: true
  - name: account
    mountPath: /var/run/secrets/kubernetes.io/serviceaccount
    readOnly: true
  {{- if $installer.metrics.tlsSecret }}
  - name: tls
    mountPath: /etc/spidercoordinator/tls
    readOnly: true
  {{- end }}
{{- end -}}
