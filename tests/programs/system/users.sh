#!/bin/bash
# within: 180
# Who one is and becomes: su, sudo, login, setpriv, newgrp, runuser, passwd, getent, capabilities; utmp: w, who, last, users.
printf 'auth sufficient pam_rootok.so\nauth required pam_unix.so nullok\naccount required pam_permit.so\nsession required pam_permit.so\npassword required pam_unix.so nullok\n' >/tmp/pam
for service in su su-l sudo sudo-i login runuser runuser-l passwd chpasswd chfn chsh other; do cp /tmp/pam /etc/pam.d/$service 2>/dev/null; done
hostname torus; echo 127.0.1.1 torus >>/etc/hosts; touch /run/utmp /var/log/wtmp /var/log/btmp /var/log/lastlog 2>/dev/null; mkdir -p /var/log; touch /var/log/wtmp
pwconv; echo "pwconv $?"; test -s /etc/shadow && stat -c %a /etc/shadow; id; id user; id -nG user; groups user; getent passwd user; getent passwd 1000 | cut -d: -f1; getent group tty; getent passwd nobody2; echo $?; getent hosts localhost | awk '{print $2}'; getent services nothing; echo $?; getent ahosts 127.0.0.1 | head -1 | awk '{print $1}'
su user -c 'id -un; id -u; echo $HOME; echo x >/etc/no; kill -0 1' 2>&1; su - user -c 'pwd; echo $USER $LOGNAME $HOME $PATH; umask; tty'; su -s /bin/dash user -c 'echo $0; readlink /proc/$$/exe'; su -g tty user -c 'id -gn; groups' 2>&1; su nosuch -c true; echo $?; su user -c 'exit 9'; echo $?; su user -c 'kill -TERM $$'; echo $?; su -P user -c 'tty | sed "s/[0-9]*$/N/"' </dev/null; setpriv --reuid 1000 --clear-groups su root -c id </dev/null 2>&1 | tail -1
runuser -u user -- id -un; runuser -l user -c 'echo $HOME'; runuser -u user -- sh -c 'echo $$ >/dev/null; ulimit -c'
echo 'user ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/user; chmod 440 /etc/sudoers.d/user; visudo -c 2>&1 | tail -1; sudo id -un; sudo -u user id -un; sudo -u user sudo -n id -un; sudo -u user sudo -n sh -c 'id -u; echo $SUDO_USER $SUDO_UID'; sudo -u '#1000' id -u; sudo -g tty id -gn; sudo -l -U user 2>&1 | tail -1; sudo -u user sh -c 'echo no >/etc/no' 2>&1; sudo -n false; echo $?; sudo A=1 env | grep ^A=; sudo -i -u user pwd; sudo -u user -b sleep 0.1; sudo sh -c 'kill -TERM $$'; echo $?; sudo -u nosuch true; echo $?; sudo -k; sudo -V | head -1 | cut -d' ' -f1,2
setpriv --dump | sed -E 's/ +/ /g' | head -8; setpriv --reuid=user --regid=user --init-groups id; setpriv --reuid 1000 --clear-groups --no-new-privs sudo -n id 2>&1 | head -1; setpriv --nnp grep NoNewPrivs /proc/self/status; setpriv --bounding-set -all --inh-caps -all grep -E '^Cap(Bnd|Inh)' /proc/self/status; setpriv --reuid 1000 --clear-groups --inh-caps +net_raw --ambient-caps +net_raw grep -E '^Cap(Amb|Eff|Inh|Prm)' /proc/self/status; setpriv --pdeathsig HUP sh -c 'sleep 0'; setpriv --securebits +noroot sh -c 'grep CapEff /proc/self/status'; setpriv --keep-groups id -G; setpriv --groups 5,1000 id -G
newgrp tty </dev/null; sg tty 'id -gn'; useradd -m -s /bin/dash new; id new; echo 'new:secret' | chpasswd; passwd -S new | cut -d' ' -f1,2; usermod -aG tty new; groups new; su - new -c 'pwd; ls -A | wc -l' | head -1; passwd -l new 2>&1 | tail -1; chsh -s /bin/bash new; getent passwd new | cut -d: -f7; chage -l new | grep -c .; userdel -r new 2>/dev/null; id new; groupadd -g 2000 team; getent group team; gpasswd -a user team; groupdel team; chfn -f Name user; vipw -V 2>&1 | head -1 | cut -d' ' -f1; faillog 2>&1 | head -1; lastlog 2>&1 | tail -1 | cut -c1-8
cat >login.exp <<'END'
set timeout 20
log_user 0
spawn -noecho login
expect "login:" {send "user\r"} eof {puts "no login: $expect_out(buffer)"; exit}
expect -re {\$ $} {} eof {puts "no shell: $expect_out(buffer)"; exit}
send "tty | sed 's/\[0-9]*$/N/'; id -un; exec true\r"
expect -re {/dev/pts/N.*user} {puts "logged in"} timeout {puts "no login: $expect_out(buffer)"}
expect eof
puts "status [lindex [wait] 3]"
END
sed -i 's/^user:x:/user::/' /etc/passwd; grep ^user /etc/passwd; expect login.exp
who; users; w | sed -n 2p; w -h; last -n1 2>/dev/null | wc -l | awk '{print ($1 > 0)}'; utmpdump /run/utmp 2>/dev/null | wc -l; mesg; echo $?; write user </dev/null; echo $?; wall -n nothing </dev/null; echo $?; logname; echo $?; agetty --version | cut -d' ' -f1,2; sulogin --help | head -2 | tail -1; umask; umask -S; install -o user -g tty -m 640 /etc/hosts h && stat -c '%U %G %a' h; chown nobody:nogroup h; stat -c '%U:%G' h; chmod u+s,g+s h; stat -c %A h; setpriv --reuid 1000 --clear-groups sh -c 'chmod 777 h; chown user h' 2>&1
