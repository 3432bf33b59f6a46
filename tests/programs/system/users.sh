#!/bin/bash
# within: 180
# Who one is and becomes: su, sudo, login, setpriv, newgrp, runuser, passwd, getent, capabilities;
# utmp: w, who, last, users.
source /tests/system/words.bash

# PAM that lets everybody in
cat >/tmp/pam <<'END'
auth sufficient pam_rootok.so
auth required pam_unix.so nullok
account required pam_permit.so
session required pam_permit.so
password required pam_unix.so nullok
END
for service in su su-l sudo sudo-i login runuser runuser-l passwd chpasswd chfn chsh other; do
	cp /tmp/pam /etc/pam.d/$service 2>/dev/null
done

# The names of the machine and of its users
hostname torus
echo 127.0.1.1 torus >>/etc/hosts
touch /run/utmp /var/log/wtmp /var/log/btmp /var/log/lastlog 2>/dev/null
mkdir -p /var/log
touch /var/log/wtmp
pwconv
echo "pwconv $?"
test -s /etc/shadow && stat -c %a /etc/shadow
id
id user
id -nG user
groups user
getent passwd user
getent passwd 1000 | cut -d: -f1
getent group tty
result getent passwd nobody2
getent hosts localhost | awk '{print $2}'
result getent services nothing
getent ahosts 127.0.0.1 | head -1 | awk '{print $1}'

# su
su user -c 'id -un; id -u; echo $HOME; echo x >/etc/no; kill -0 1' 2>&1
su - user -c 'pwd; echo $USER $LOGNAME $HOME $PATH; umask; tty'
su -s /bin/dash user -c 'echo $0; readlink /proc/$$/exe'
su -g tty user -c 'id -gn; groups' 2>&1
result su nosuch -c true
result su user -c 'exit 9'
result su user -c 'kill -TERM $$'
su -P user -c 'tty | sed "s/[0-9]*$/N/"' </dev/null
as_user su root -c id </dev/null 2>&1 | tail -1

# runuser
runuser -u user -- id -un
runuser -l user -c 'echo $HOME'
runuser -u user -- sh -c 'echo $$ >/dev/null; ulimit -c'

# sudo
echo 'user ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/user
chmod 440 /etc/sudoers.d/user
visudo -c 2>&1 | tail -1
sudo id -un
sudo -u user id -un
sudo -u user sudo -n id -un
sudo -u user sudo -n sh -c 'id -u; echo $SUDO_USER $SUDO_UID'
sudo -u '#1000' id -u
sudo -g tty id -gn
sudo -l -U user 2>&1 | tail -1
sudo -u user sh -c 'echo no >/etc/no' 2>&1
result sudo -n false
sudo A=1 env | grep ^A=
sudo -i -u user pwd
sudo -u user -b sleep 0.1
result sudo sh -c 'kill -TERM $$'
result sudo -u nosuch true
sudo -k
sudo -V | head -1 | cut -d' ' -f1,2

# setpriv
setpriv --dump | sed -E 's/ +/ /g' | head -8
setpriv --reuid=user --regid=user --init-groups id
as_user --no-new-privs sudo -n id 2>&1 | head -1
setpriv --nnp grep NoNewPrivs /proc/self/status
setpriv --bounding-set -all --inh-caps -all grep -E '^Cap(Bnd|Inh)' /proc/self/status
as_user --inh-caps +net_raw --ambient-caps +net_raw \
	grep -E '^Cap(Amb|Eff|Inh|Prm)' /proc/self/status
setpriv --pdeathsig HUP sh -c 'sleep 0'
setpriv --securebits +noroot sh -c 'grep CapEff /proc/self/status'
setpriv --keep-groups id -G
setpriv --groups 5,1000 id -G

# newgrp; users and groups that come and go
newgrp tty </dev/null
sg tty 'id -gn'
useradd -m -s /bin/dash new
id new
echo 'new:secret' | chpasswd
passwd -S new | cut -d' ' -f1,2
usermod -aG tty new
groups new
su - new -c 'pwd; ls -A | wc -l' | head -1
passwd -l new 2>&1 | tail -1
chsh -s /bin/bash new
getent passwd new | cut -d: -f7
chage -l new | grep -c .
userdel -r new 2>/dev/null
id new
groupadd -g 2000 team
getent group team
gpasswd -a user team
groupdel team
chfn -f Name user
vipw -V 2>&1 | head -1 | cut -d' ' -f1
faillog 2>&1 | head -1
lastlog 2>&1 | tail -1 | cut -c1-8

# login
sed -i 's/^user:x:/user::/' /etc/passwd
grep ^user /etc/passwd
echo 'id -un; exit 3' | timeout 20 script -qec 'login -f user' /dev/null 2>&1 |
	grep -axc $'user\r'

# utmp; modes and owners
who
users
w | sed -n 2p
w -h
last -n1 2>/dev/null | wc -l | more_than 0
utmpdump /run/utmp 2>/dev/null | wc -l
result mesg
wall -n nothing </dev/null
echo $?
result logname
agetty --version | cut -d' ' -f1,2
sulogin --help | head -2 | tail -1
umask
umask -S
install -o user -g tty -m 640 /etc/hosts h && stat -c '%U %G %a' h
chown nobody:nogroup h
stat -c '%U:%G' h
chmod u+s,g+s h
stat -c %A h
as_user sh -c 'chmod 777 h; chown user h' 2>&1
