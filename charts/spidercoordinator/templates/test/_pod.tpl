{{/*
The pod that `helm test` attaches to a network: it describes its own network, and ends. It goes where the installer does,
and may do nothing.
*/}}
{{- define "spidercoordinator.test.attached" -}}
{{- $installer := .Values.installer -}}
metadata:
  labels:
    {{- include "spidercoordinator.podLabels" (list . "test" dict) | nindent 4 }}
  annotations:
    {{- include "spidercoordinator.podAnnotations" (list . "explain" dict) | nindent 4 }}
spec:
  serviceAccountName: {{ include "spidercoordinator.test.name" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  activeDeadlineSeconds: {{ .Values.test.deadlineSeconds | int64 }}
  {{- with include "spidercoordinator.imagePullSecrets" (list . $installer.image) }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - name: explain
      image: {{ .Values.test.image | default (include "spidercoordinator.image" (list . $installer.image)) }}
      imagePullPolicy: {{ $installer.image.pullPolicy }}
      command: [/coordinator-install, explain]
      terminationMessagePolicy: FallbackToLogsOnError
      resources:
        {{- toYaml .Values.test.resources | nindent 8 }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
        seccompProfile:
          type: RuntimeDefault
  {{- with $installer.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $installer.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $installer.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
