"""The Linux scripts, for a plain `sh`: nothing but `ip`, `ss`, `sed`, `grep` and `awk`, and `bash` to connect.

`!` before a line says what could not be read; a section begins with `#`.
"""

from __future__ import annotations

_HEAD = """
LC_ALL=C
PATH="$PATH:/usr/sbin:/sbin"
export LC_ALL PATH
"""

# Interfaces of containers (veth, cali, lxc, azv) are many, and never the one that an address of Azure's is on.
ROUTES = (
    _HEAD
    + r"""
most=25
routes() {
  echo "#routes$1"
  all=$(ip -o "-$1" route show table all 2>/dev/null) || {
    echo '!only the main table could be read'
    all=$(ip "-$1" route show 2>/dev/null) || { echo '!unread'; return; }
  }
  all=$(printf '%s\n' "$all" | grep -vE \
    -e '^(local|broadcast|anycast|multicast) ' -e ' table local( |$)' -e '^(fe80|ff00):' \
    -e '^[0-9a-f:.]+(/[0-9]+)? dev lo( |$)' -e ' dev (veth|cali|lxc|azv)')
  printf '%s\n' "$all" | grep -E '^([a-z]+ )?default( |$)'
  others=$(printf '%s\n' "$all" | grep -vE -e '^([a-z]+ )?default( |$)' -e '^ *$')
  [ -z "$others" ] && return
  printf '%s\n' "$others" | head -n "$most"
  left=$(($(printf '%s\n' "$others" | wc -l) - most))
  [ "$left" -le 0 ] || echo "!cut $left"
}
if command -v ip >/dev/null 2>&1; then
  echo '#links'
  ip -o link show 2>/dev/null | sed -n 's/^\([0-9]*\): \([^:@]*\)[^<]*<\([^>]*\)>.*/\1 \2 \3/p' |
    grep -vE '^[0-9]+ (lo|veth|cali|lxc|azv)'
  echo '#addresses'
  ip -o addr show 2>/dev/null | sed -n 's/^[0-9]*: *\([^ @]*\)[^ ]* *inet6* \([^ ]*\) .*/\1 \2/p' |
    grep -vE ' (127\.|fe80:|::1/)'
  for family in 4 6; do
    routes "$family"
    echo "#rules$family"
    ip "-$family" rule show 2>/dev/null || echo '!unread'
  done
else
  echo '!no ip'
fi
"""
)

# Bash itself takes milliseconds to start: it measures on its own, after it has started.
TCP = (
    _HEAD
    + r"""
inner='now() { if [ -n "$EPOCHREALTIME" ]; then t=${EPOCHREALTIME/./}; else t=$(($(date +%s%N) / 1000)); fi; }
now; begun=$t; exec 3<>"/dev/tcp/$0/$1" || exit 1; now; echo "$((t - begun))"'
echo '#attempts'
at=$target
if [ -n "$named" ]; then
  at=$(getent ahosts "$target" 2>/dev/null | sed -n '1s/ .*//p')
  [ -z "$at" ] || echo "at $at"
fi
if ! command -v bash >/dev/null 2>&1 || ! command -v timeout >/dev/null 2>&1; then
  echo '!bash and timeout are needed for it, and the guest lacks one'
elif [ -z "$at" ]; then
  echo '1 name'
else
  n=0
  while [ "$n" -lt "$count" ]; do
    n=$((n + 1))
    said=$(timeout "$timeout" bash -c "$inner" "$at" "$port" 2>&1)
    case "$? $said" in
      '0 '*) echo "$n open $said" ;;
      124*|143*|*'imed out'*) echo "$n timeout" ;;
      *refused*) echo "$n refused" ;;
      *unreachable*|*'No route to host'*) echo "$n unreachable" ;;
      *'not permitted'*|*'ermission denied'*) echo "$n forbidden" ;;
      *) echo "$n other $(printf '%s' "$said" | head -n 1 | cut -c 1-100)" ;;
    esac
    [ "$n" -ge "$count" ] || sleep 0.2 2>/dev/null || sleep 1
  done
fi
"""
)

# Of iptables only what can decide about a new TCP connection from outside is printed.
DESTINATION = (
    _HEAD
    + r"""
most=35
local_of='substr($4, length($4) - length(p) + 1) == p { print substr($4, 1, length($4) - length(p)) }'
echo '#listening'
if command -v ss >/dev/null 2>&1; then
  told=$(ss -ltn 2>/dev/null) || echo '!ss failed'
  printf '%s\n' "$told" | awk -v p=":$port" '$1 == "LISTEN" && '"$local_of" | sort -u
elif command -v netstat >/dev/null 2>&1; then
  told=$(netstat -ltn 2>/dev/null) || echo '!netstat failed'
  printf '%s\n' "$told" | awk -v p=":$port" '$6 == "LISTEN" && '"$local_of" | sort -u
else
  echo '!neither ss nor netstat is there'
fi
echo '#forwarded'
"$iptables" -t nat -S 2>/dev/null | grep -E -e '--dports? ' | grep -w -e "$port" | head -n 3
nft -nn list ruleset 2>/dev/null | grep -E -e ' (dnat|redirect)' | grep -w -e "$port" | head -n 3
if command -v "$iptables" >/dev/null 2>&1; then
  echo '#iptables'
  rules=$("$iptables" -S 2>/dev/null) || echo '!unread'
  rules=$(printf '%s\n' "$rules" | grep -E -e '^(-P INPUT|-A) ' | grep -vE \
    -e '^-A [^ ]*(OUTPUT|FORWARD|output|forward|logging|track|DOCKER|docker)' -e ' -p (udp|icmp|icmpv6|ipv6-icmp) ' \
    -e ' -j (N?F?LOG)( |$)' -e ' -i lo ' -e 'state (RELATED,ESTABLISHED|ESTABLISHED,RELATED|ESTABLISHED|INVALID) ')
  printf '%s\n' "$rules" | head -n "$most"
  [ "$(printf '%s\n' "$rules" | wc -l)" -le "$most" ] || echo '!cut'
fi
if command -v nft >/dev/null 2>&1; then
  echo '#nft'
  if rules=$(nft -nn list ruleset 2>/dev/null); then
    [ -n "$rules" ] || echo 'no rules'
    printf '%s\n' "$rules" | grep -E -e 'hook input' -e 'tcp dport' | sed 's/^[[:space:]]*//' | head -n 12
  else
    echo '!unread'
  fi
fi
if [ "$(firewall-cmd --state 2>/dev/null)" = running ]; then
  echo '#firewalld'
  for zone in $(firewall-cmd --get-active-zones 2>/dev/null | sed -n 's/^\([^ ][^ ]*\).*/\1/p'); do
    rich=$(firewall-cmd --zone="$zone" --list-rich-rules 2>/dev/null | grep -c .)
    ports=$(firewall-cmd --zone="$zone" --list-ports 2>/dev/null) || rich='?'
    services=$(firewall-cmd --zone="$zone" --list-services 2>/dev/null) || rich='?'
    for service in $services; do
      more=$(firewall-cmd --permanent --service="$service" --get-ports 2>/dev/null) || rich='?'
      ports="$ports $more"
    done
    target=$(firewall-cmd --permanent --zone="$zone" --get-target 2>/dev/null)
    echo "$zone ${target:-default} $rich" $ports
  done
fi
"""
)
