{{/* The settings of an instance over those of all. Takes root and name. */}}
{{- define "instance.settings" -}}
{{- $own := get .root.Values.instances .name | default dict -}}
{{- $all := mergeOverwrite (deepCopy .root.Values.defaults) $own -}}
{{- if not (or $all.env $all.existingEnvSecret) -}}
{{- fail (printf "instances.%s has no env file: set env (its lines) or existingEnvSecret (a Secret with %s.env)" .name .name) -}}
{{- end -}}
{{- if and $all.env $all.existingEnvSecret -}}
{{- fail (printf "instances.%s has env and existingEnvSecret: set one of them" .name) -}}
{{- end -}}
{{- if not (or $all.token $all.existingTokenSecret) -}}
{{- fail (printf "instances.%s has no token, and whoever reaches it could use it: set token (openssl rand -hex 24) or existingTokenSecret (a Secret with token)" .name) -}}
{{- end -}}
{{- if and $all.existingTokenSecret (or $all.token $all.clientTokens) -}}
{{- fail (printf "instances.%s has existingTokenSecret beside token or clientTokens: set one of them" .name) -}}
{{- end -}}
{{- if gt (int $all.autoscaling.minReplicas) (int $all.autoscaling.maxReplicas) -}}
{{- fail (printf "instances.%s: autoscaling.minReplicas is above maxReplicas" .name) -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* The name of all objects of an instance. */}}
{{- define "instance.fullname" -}}
{{- $name := printf "%s-%s" .root.Release.Name .name -}}
{{- if gt (len $name) 52 -}}
{{- fail (printf "%s is longer than the 52 characters that names of objects leave: choose a shorter release or instance" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "instance.selector" -}}
app.kubernetes.io/name: claude-code-proxy
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .name | quote }}
{{- end -}}

{{- define "instance.metadata" -}}
name: {{ include "instance.fullname" . }}{{ .suffix }}
labels:
  {{- include "instance.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end -}}

{{- define "instance.envSecret" -}}
{{- .settings.existingEnvSecret | default (printf "%s-env" (include "instance.fullname" .)) -}}
{{- end -}}

{{- define "instance.tokenSecret" -}}
{{- .settings.existingTokenSecret | default (printf "%s-tokens" (include "instance.fullname" .)) -}}
{{- end -}}

{{- define "image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end -}}
