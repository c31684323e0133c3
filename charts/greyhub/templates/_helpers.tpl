{{/* The labels by which a part's pods are selected: (list $ "hub"). They never change. */}}
{{- define "greyhub.selector" -}}
app.kubernetes.io/name: greyhub
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The labels of objects: (list $ "hub"). Pods have those of greyhub.selector alone: a new
     version of the chart is no reason to make them anew. */}}
{{- define "greyhub.labels" -}}
{{ include "greyhub.selector" . }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: greyhub-{{ (index . 0).Chart.Version }}
{{- end }}

{{- define "greyhub.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.uid }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "greyhub.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where a pod runs, and how its images are pulled: (list $ .Values.hub). */}}
{{- define "greyhub.placed" -}}
{{- $values := (index . 0).Values }}
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with (index . 1).nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with (index . 1).tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- end }}

{{/* The priority class of the hub and the proxy. */}}
{{- define "greyhub.priorityClass" -}}
{{- $made := ternary (printf "%s-%s" .Release.Namespace .Release.Name) "" .Values.priorityClass.create }}
{{- .Values.priorityClass.name | default $made }}
{{- end }}

{{/* The base URL, with a slash at both ends. */}}
{{- define "greyhub.base" -}}
{{- $path := trimAll "/" (urlParse .Values.url).path }}
{{- if $path }}/{{ $path }}/{{ else }}/{{ end }}
{{- end }}

{{/* The Secret with the proxy's token. */}}
{{- define "greyhub.secret" -}}
{{ .Values.proxy.existingSecret | default "proxy-token" }}
{{- end }}

{{/* What the chart presets: the config file stands above it. */}}
{{- define "greyhub.presets" -}}
{{- $hub := dict "hub_ip" "0.0.0.0" "hub_connect_ip" "hub" "base_url" (include "greyhub.base" .) }}
{{- /* As often, a proxy that was made anew is given the routes of servers that run. */}}
{{- $_ := set $hub "last_activity_interval" 60 }}
{{- with .Values.url }}{{ $_ := set $hub "public_url" . }}{{ end }}
{{- $_ := set $hub "log_level" .Values.hub.logLevel }}
{{- if eq .Values.hub.logFormat "json" }}
{{- $line := dict "class" "pythonjsonlogger.json.JsonFormatter" "format" "%(asctime)s %(levelname)s %(name)s %(message)s" }}
{{- $_ := set $hub "logging_config" (dict "formatters" (dict "console" $line)) }}
{{- end }}
{{- $presets := dict "JupyterHub" $hub }}
{{- $_ := set $presets "GreyHub" (dict "state_dir" "/var/lib/greyhub/state") }}
{{- $_ := set $presets "ConfigurableHTTPProxy" (dict "should_start" false "api_url" "http://proxy-api:8001") }}
{{- $_ := set $presets "PodSpawner" (dict "hub_id" .Release.Name) }}
{{- with .Values.notebook.image }}{{ $_ := set $presets "KubeSpawner" (dict "image" .) }}{{ end }}
{{- with .Values.catalogues }}{{ $_ := set $presets "KubernetesData" (dict "config_map" (list "catalogues")) }}{{ end }}
{{- $_ := set $presets "BrokeredCluster" (dict "dashboard_ip" "$(POD_IP)") }}
{{- toJson $presets }}
{{- end }}

{{/* A pod of the namespace that is neither the chart's own nor a cluster's is a user's server. */}}
{{- define "greyhub.servers" -}}
matchExpressions:
  - {key: app.kubernetes.io/name, operator: NotIn, values: [greyhub]}
  - {key: greyhub/cluster, operator: DoesNotExist}
{{- end }}

{{/* Schedulers and workers of Dask clusters. */}}
{{- define "greyhub.clusters" -}}
matchExpressions:
  - {key: greyhub/cluster, operator: Exists}
{{- end }}

{{/* What servers and clusters reach beside the hub: names, clusters, what is outside. */}}
{{- define "greyhub.egress" -}}
{{- $four := list }}
{{- $six := list }}
{{- range .Values.networkPolicy.blocked }}
{{- if contains ":" . }}{{ $six = append $six . }}{{ else }}{{ $four = append $four . }}{{ end }}
{{- end -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
- to:
    - podSelector: {{ include "greyhub.clusters" . | fromYaml | toJson }}
- to:
    - ipBlock: {cidr: 0.0.0.0/0, except: {{ toJson $four }}}
    - ipBlock: {cidr: "::/0", except: {{ toJson $six }}}
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}
