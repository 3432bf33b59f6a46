#!/bin/bash
# What asks for parts of Linux that Torus has not yet.
unshare -u sh -c 'hostname inner; hostname'
lscpu | grep -c Architecture
lsblk >/dev/null 2>&1; echo $?
ionice -p $$
