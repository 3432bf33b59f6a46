#!/bin/bash
# liburing's examples that need no network.
PATH=/liburing/examples:$PATH
cd /tmp || exit 1
head -c 3000000 /bin/bash /bin/bash /bin/bash >from 2>&1
head -c 100000 from >small
io_uring-cp from copied; echo "io_uring-cp: $?"; cmp from copied && echo same
io_uring-test small; echo "io_uring-test: $?"
link-cp from linked; echo "link-cp: $?"; cmp from linked && echo same
ucontext-cp from one small two; echo "ucontext-cp: $?"; cmp from one && cmp small two && echo same
