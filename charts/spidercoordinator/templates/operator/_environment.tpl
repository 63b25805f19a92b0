{{/* The operator's variables, without the user's own. */}}
{{- define "spidercoordinator.operator.environment" -}}
- name: SPIDERCOORDINATOR_NAME
  value: {{ .Values.coordinator.name | quote }}
- name: SPIDERCOORDINATOR_DEFAULT_IPAM
  value: {{ .Values.defaultIPAM | toJson | quote }}
- name: SPIDERCOORDINATOR_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: SPIDERCOORDINATOR_LEASE
  value: {{ include "spidercoordinator.operator.name" . }}
- name: SPIDERCOORDINATOR_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: SPIDERCOORDINATOR_POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
- name: SPIDERCOORDINATOR_HTTP_PORT
  value: {{ .Values.operator.httpPort | int64 | quote }}
- name: SPIDERCOORDINATOR_LOG_LEVEL
  value: {{ .Values.operator.log.level | quote }}
- name: SPIDERCOORDINATOR_LOG_FORMAT
  value: {{ .Values.operator.log.format | quote }}
- name: SPIDERCOORDINATOR_CILIUM_CONFIGMAP
  value: {{ .Values.global.ciliumConfigMap | quote }}
- name: SPIDERCOORDINATOR_AGENT_NAMESPACES
  value: {{ join "," .Values.global.agentNamespaces | quote }}
- name: SPIDERCOORDINATOR_NODE_DEFAULTS_CONFIGMAP
  value: {{ include "spidercoordinator.nodeDefaults.name" . }}
{{- if .Values.operator.webhook.enabled }}
- name: SPIDERCOORDINATOR_WEBHOOK_CONFIGURATION
  value: {{ include "spidercoordinator.webhook.name" . }}
- name: SPIDERCOORDINATOR_WEBHOOK_PORT
  value: {{ .Values.operator.webhook.port | int64 | quote }}
{{- if .Values.operator.webhook.certManager.enabled }}
- name: SPIDERCOORDINATOR_WEBHOOK_CERTIFICATES
  value: {{ include "spidercoordinator.webhook.mountPath" . }}
{{- end }}
{{- end }}
- name: SPIDERCOORDINATOR_INSTALLER_PODS
  value: {{ include "spidercoordinator.installer.selector" . | quote }}
{{- end -}}

{{- define "spidercoordinator.webhook.mountPath" -}}
/etc/spidercoordinator/webhook
{{- end -}}
