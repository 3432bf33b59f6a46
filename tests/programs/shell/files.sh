#!/bin/bash
# smoke:
# What coreutils and findutils do to a tree: copies, links, modes, times, moves, sizes.
# mask: \b\d{10} 2\d\d\d-.*$
umask 022
mkdir -p tree/a/b/c tree/d
echo one >tree/a/one; echo two two >tree/a/b/two; : >tree/d/empty
ln -s ../a/one tree/d/link; ln tree/a/one tree/d/hard
ln -s nowhere tree/dangling
touch -d '2001-02-03 04:05:06.789 UTC' tree/a/one
stat -c '%n %F %s %h %a %Y %y' tree/a/one tree/d/link tree/d/empty tree/a
stat -L -c '%n %F %s' tree/d/link
readlink tree/d/link; readlink -f tree/d/link; realpath tree/d/link
find tree | sort
find tree -type l | sort
find tree -samefile tree/a/one | sort
find tree -size +5c -type f | sort
find tree -empty | sort
find tree -newermt 2002-01-01 -type f | sort
find tree -name '[ot]*' -printf '%p %s %y %l %m\n' | sort
find tree -type f -exec wc -c {} + | sort
cp -a tree copy; diff -r tree copy && echo same
stat -c '%Y %a' copy/a/one
cp -r --reflink=auto tree/a other; ls -R other
mv other/b moved; ls other moved
chmod -R u=rwX,go=rX tree; chmod 4751 tree/a/one; chmod +t tree/d; chmod g+s tree/a
stat -c '%A %a %n' tree/a/one tree/d tree/a tree/a/b
rm -r tree/a/b; rmdir tree/d 2>&1; rm tree/dangling
mkdir tree/x 2>&1; mkdir tree/x 2>&1; mkdir tree/no/no 2>&1
cat tree 2>&1; cd tree/a/one 2>&1; cat tree/a/one/x 2>&1; ln tree tree2 2>&1; mv tree tree/a/under 2>&1
truncate -s 1M sparse; stat -c '%s %b' sparse; du -k sparse | cut -f1
dd if=/dev/urandom of=random bs=4k count=10 2>/dev/null; split -b 10000 random part.; cat part.* | cmp - random && echo joined; ls part.*
dd if=random of=sparse bs=1 seek=500000 count=100 conv=notrunc 2>&1 | head -2; stat -c %s sparse
sha256sum /dev/null; cksum /dev/null; printf abc | sha1sum; printf abc | b2sum | cut -c1-20
tar cf t.tar tree copy && tar tf t.tar | sort; tar xf t.tar -C moved; diff -r copy moved/copy && echo untarred
tar czf t.tgz copy && gzip -dc t.tgz | tar tf - | wc -l; gzip -t t.tgz && echo good
mktemp -d XXXXXX | wc -c; install -m 600 random installed; stat -c '%a %s' installed
mkfifo fifo; mknod null c 1 3; stat -c '%n %F %t %T' fifo null; echo x >null; cat null
ls -la --time-style=+ tree; ls -F tree; ls -li tree/a/one tree/d/hard 2>&1 | awk '{print ($1 == p); p = $1}'
chown user:tty tree/d; stat -c '%U %G %u %g' tree/d
basename /a/b.c .c; dirname /a/b.c; pwd -P; nproc --all >/dev/null && echo nproc
df /tmp | awk 'NR == 2 {print $1, $6}'; sync; test -w / && echo w; test -x /etc/passwd || echo not x; [ t.tar -nt tree/a/one ] && echo newer
shred -u random; ls random 2>&1; comm <(:) /dev/null 2>&1 | head -1; od -An -tx1 -c tree/a/one 2>&1
