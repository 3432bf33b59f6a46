#!/bin/sh
# within: 120
# A database of names, and searches in it: plocate reads it by a ring.
set -e
mkdir -p tree
i=0
while [ $i -lt 300 ]; do
	mkdir tree/folder$i
	: >tree/folder$i/some-name-$i.txt
	i=$((i + 1))
done
touch 'tree/with space' tree/UPPER
updatedb.plocate -l no -U "$PWD/tree" -o names.db --prunepaths ''
plocate -d names.db -c some-name
plocate -d names.db -b 'some-name-12*.txt' | sort
plocate -d names.db -i upper
plocate -d names.db 'with space'
rm tree/folder7/some-name-7.txt
plocate -d names.db -e -c some-name
plocate -d names.db nothing-of-this-name || echo "status $?"
