#!/bin/sh
# Runs all instances of /data/envs under PM2 in the foreground; with --health it says by its status whether all of them serve.
set -eu
cd "$CCP_HOME"
if [ "${1-}" = --health ]; then
  for file in envs/*.env; do
    dist/claude-code-proxy --env "$file" --health || exit 1
  done
  exit 0
fi
# Makes the folder look like a checkout. What it complains of is shown, and the instances start all the same where they can.
ccp status >/dev/null || [ -f ecosystem.config.cjs ]
# PM2 would end by itself when it finds no instance online, which may be while they let their last answers end.
exec node node_modules/pm2/bin/pm2-runtime start ecosystem.config.cjs --no-auto-exit
