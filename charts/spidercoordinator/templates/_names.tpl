{{/* Names and labels. Every object's name starts with the release's full name, so that releases do not collide. */}}

{{- define "spidercoordinator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* 40 characters leave room for the suffixes below within the 63 of a label. */}}
{{- define "spidercoordinator.fullname" -}}
{{- $name := include "spidercoordinator.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{- define "spidercoordinator.operator.name" -}}
{{ include "spidercoordinator.fullname" . }}-operator
{{- end -}}

{{- define "spidercoordinator.installer.name" -}}
{{ include "spidercoordinator.fullname" . }}-installer
{{- end -}}

{{- define "spidercoordinator.metricsReader.name" -}}
{{ include "spidercoordinator.fullname" . }}-metrics-reader
{{- end -}}

{{- define "spidercoordinator.uninstall.name" -}}
{{ include "spidercoordinator.fullname" . }}-uninstall
{{- end -}}

{{/* Of a Job that fails helm shows the name and nothing else that is ours, so the name tells the way out. */}}
{{- define "spidercoordinator.uninstall.job" -}}
{{ include "spidercoordinator.uninstall.name" . }}-or-no-hooks
{{- end -}}

{{- define "spidercoordinator.test.name" -}}
{{ include "spidercoordinator.fullname" . }}-test
{{- end -}}

{{/* Of the network that the test makes, and of the pod that it attaches to it. */}}
{{- define "spidercoordinator.test.network" -}}
{{ include "spidercoordinator.test.name" . }}-network
{{- end -}}

{{- define "spidercoordinator.nodeDefaults.name" -}}
{{ include "spidercoordinator.fullname" . }}-node-defaults
{{- end -}}

{{- define "spidercoordinator.webhook.name" -}}
{{ include "spidercoordinator.fullname" . }}-webhook
{{- end -}}

{{/* The Secret that cert-manager makes; the operator's own has the webhook's name. */}}
{{- define "spidercoordinator.webhook.secret" -}}
{{ include "spidercoordinator.webhook.name" . }}-tls
{{- end -}}

{{/* "true" where cert-manager makes the webhook's certificate. */}}
{{- define "spidercoordinator.webhook.certManager" -}}
{{- with .Values.operator.webhook }}{{ and .enabled .certManager.enabled }}{{ end -}}
{{- end -}}

{{- define "spidercoordinator.admissionPolicy.name" -}}
{{ include "spidercoordinator.fullname" . }}-annotations
{{- end -}}

{{- define "spidercoordinator.operator.serviceAccount" -}}
{{- .Values.operator.serviceAccount.name | default (ternary (include "spidercoordinator.operator.name" .) "default" .Values.operator.serviceAccount.create) -}}
{{- end -}}

{{- define "spidercoordinator.installer.serviceAccount" -}}
{{- .Values.installer.serviceAccount.name | default (ternary (include "spidercoordinator.installer.name" .) "default" .Values.installer.serviceAccount.create) -}}
{{- end -}}

{{/* Call with (list $ "operator"). */}}
{{- define "spidercoordinator.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "spidercoordinator.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Label selector of the installer's pods. */}}
{{- define "spidercoordinator.installer.selector" -}}
{{- $terms := list -}}
{{- range $key, $value := include "spidercoordinator.selectorLabels" (list . "installer") | fromYaml -}}
{{- $terms = append $terms (printf "%s=%s" $key $value) -}}
{{- end -}}
{{- join "," $terms -}}
{{- end -}}

{{/* Call with (list $ "operator"). */}}
{{- define "spidercoordinator.labels" -}}
{{- $root := index . 0 -}}
{{- $labels := include "spidercoordinator.selectorLabels" . | fromYaml -}}
{{- $fixed := dict
      "helm.sh/chart" (printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/version" $root.Chart.AppVersion
      "app.kubernetes.io/managed-by" $root.Release.Service
      "app.kubernetes.io/part-of" "spidercoordinator" -}}
{{- toYaml (merge (dict) $labels $fixed $root.Values.global.commonLabels) -}}
{{- end -}}

{{/*
The metadata of an object, without its namespace.
Call with (dict "root" $ "component" "operator" "name" NAME "annotations" MAP "labels" MAP), the last two may be absent.
*/}}
{{- define "spidercoordinator.metadata" -}}
{{- $root := .root -}}
name: {{ .name }}
labels:
  {{- $labels := include "spidercoordinator.labels" (list $root .component) | fromYaml }}
  {{- toYaml (merge (dict) $labels (.labels | default dict)) | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) $root.Values.global.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
