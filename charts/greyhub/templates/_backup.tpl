{{/* Where backups are, for the command. */}}
{{- define "greyhub.backupPlace" -}}
{{- $backup := .Values.backup }}
{{- if eq (empty $backup.url) (empty $backup.claim) }}{{ fail "backup: give backup.url or backup.claim, and not both" }}{{ end }}
{{- $backup.url | default "/backups" }}
{{- end }}

{{/* The spec of a pod of backups: (list $ arguments affinity readOnly). */}}
{{- define "greyhub.backupPod" -}}
{{- $ := index . 0 }}
{{- $backup := $.Values.backup }}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "greyhub.podSecurity" $ | nindent 2 }}
{{- include "greyhub.placed" (list $ $.Values.hub) }}
affinity:
  {{ index . 2 }}:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "greyhub.selector" (list $ "hub") | nindent 12 }}
containers:
  - name: backup
    image: {{ $backup.image | default $.Values.hub.image | quote }}
    imagePullPolicy: {{ $.Values.hub.imagePullPolicy }}
    args: {{ toJson (index . 1) }}
    workingDir: /tmp
    env:
      - {name: HOME, value: /tmp}
    {{- with $backup.secret }}
    envFrom:
      - secretRef: {name: {{ . | quote }}}
    {{- end }}
    resources: {{ toJson $backup.resources }}
    securityContext:
      readOnlyRootFilesystem: true
      {{- include "greyhub.containerSecurity" $ | nindent 6 }}
    volumeMounts:
      - {name: state, mountPath: /var/lib/greyhub, readOnly: {{ index . 3 }}}
      - {name: tmp, mountPath: /tmp}
      {{- if $backup.claim }}
      - {name: backups, mountPath: /backups}
      {{- end }}
volumes:
  - name: state
    persistentVolumeClaim: {claimName: {{ $.Values.hub.state.existingClaim | default "hub-state" }}}
  - name: tmp
    emptyDir: {}
  {{- with $backup.claim }}
  - name: backups
    persistentVolumeClaim: {claimName: {{ . | quote }}}
  {{- end }}
{{- end }}
