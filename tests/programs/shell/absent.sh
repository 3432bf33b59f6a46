#!/bin/bash
# What asks for parts of Linux that Torus has not yet: namespaces of other kinds than mounts.
unshare -u sh -c 'hostname inner; hostname'
