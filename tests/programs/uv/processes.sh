#!/bin/bash
# within: 600
# results: ^(?P<is>ok|not ok) \d+ - (?P<name>\w+)
set -- '^(spawn|kill|process|signal|pipe|ipc|tty|thread|mutex|rwlock|semaphore|barrier|condvar|once|fork|stdio|active|async|closed)'
. /tests/uv/tests.bash
