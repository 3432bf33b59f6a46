# SPDX-License-Identifier: MIT
# Sourced by the tests of this folder: runs stressors one after another and says of each
#
#     NAME: ok              its operations succeeded and its own checks (--verify) found nothing
#     NAME: skip            stress-ng itself found that this kernel or machine has not what it needs
#     NAME: fail            it found something wrong, a signal ended it, or it did not end in time
#     NAME memory: ok       free memory and slab objects are where they were; `leak` if not, three times
#
# Lines that begin with two blanks say why.
SECONDS_EACH=${SECONDS_EACH:-1}
SECONDS_AT_MOST=${SECONDS_AT_MOST:-40}
KB_MAY_STAY=768      # free lists of CPUs, magazines
OBJECTS_MAY_STAY=96  # a magazine or two for each CPU; of a cache

declare -A was
declare -i free
version=$(uname -v)
trap '' ALRM  # stress-ng signals process -1 when a fork has failed

# Free memory in kB, and active objects of each slab cache, in `free` and the array named.
measure() {
	local -n into=$1
	local name value rest
	while read -r name value rest; do
		[ "$name" = MemFree: ] && free=value
	done </proc/meminfo
	into=()  # but the allocator's own, and addresses, which are kept
	while read -r name value rest; do
		case $name in slabinfo | '#' | slab-* | kmap-range) ;; *) into[$name]=$value ;; esac
	done 2>/dev/null </proc/slabinfo
}

# What grew since `was` and $1 kB, in words; nothing if all is back.
grown() {
	local -A now
	local name before=$1
	measure now
	((before - free > KB_MAY_STAY)) && printf ' %s kB' $((before - free))
	for name in "${!now[@]}"; do
		((now[$name] - ${was[$name]:-0} > OBJECTS_MAY_STAY)) && printf ' %s +%s' "$name" $((now[$name] - ${was[$name]:-0}))
	done
}

# stressor NAME [ARGUMENTS]
stressor() {
	local name=$1 status said
	shift
	said=$(timeout -k 5 "$SECONDS_AT_MOST" stress-ng --"$name" 2 --timeout "$SECONDS_EACH" --verify --metrics-brief --no-rand-seed --pathological --temp-path . "$@" </dev/null 2>&1)
	status=$?
	# status 0 also when it only said why it does not run: then no operation was counted
	[[ $status = 0 && $said =~ skipp(ed|ing) && ! $said =~ metrc:\ +\[[0-9]+\]\ $name\ +[1-9] ]] && status=4
	case $status in
	0) echo "$name: ok" ;;
	3 | 4) echo "$name: skip" ;;
	*) echo "$name: fail" ;;
	esac
	((status == 124 || status == 137)) && echo "  did not end in $SECONDS_AT_MOST s"
	((status)) && { echo "  status $status"; sed -E '/(setting to|dispatching hogs|run completed|metrc:)/d; s/^stress-ng: +(\S+) +\[[0-9]+\] +/  \1 /' <<<"$said" | sort -u | head -n 12; }
	rm -rf ./* 2>/dev/null
	return 0
}

# each NAME...: as stressor(), with the arguments of args_of[NAME], and whether memory comes back. What a
# kernel keeps for the next time, so that it is not there after the first run, is no leak.
declare -A args_of
each() {
	local name before more round
	for name; do
		for round in 1 2 3; do
			measure was
			before=$free
			if ((round == 1)); then
				stressor "$name" ${args_of[$name]-}
				sleep 0.2
			else
				stressor "$name" ${args_of[$name]-} >/dev/null
				sleep 1
			fi
			more=
			[[ $version = *Torus* ]] && more=$(grown "$before")  # in Linux' caches too much comes and goes
			[ -z "$more" ] && break
		done
		echo "$name memory: $([ -n "$more" ] && echo leak || echo ok)"
		[ -n "$more" ] && echo " $more"
	done
}
