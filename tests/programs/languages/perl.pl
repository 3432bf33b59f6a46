#!/usr/bin/perl
# within: 120
# What perl asks of a kernel: files, pipes, processes, signals, sockets, times.
use strict;
use warnings;
use Fcntl qw(:flock :seek :mode);
use File::Temp qw(tempfile tempdir);
use File::Find;
use IO::Select;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h setsid sigaction SIGALRM mkfifo dup2);
use Socket;
use Time::HiRes qw(sleep ualarm clock_gettime CLOCK_MONOTONIC);

$| = 1;
my ($fh, $name) = tempfile(DIR => ".");
print $fh "line $_\n" for 1 .. 1000;
close $fh;
open(my $in, "<", $name) or die;
my @lines = <$in>;
printf "%d lines, %d bytes\n", scalar @lines, -s $name;
seek($in, -5, SEEK_END);
print "end: ", scalar <$in>;
flock($in, LOCK_EX | LOCK_NB) or die "flock: $!";
open(my $other, "<", $name);
print flock($other, LOCK_SH | LOCK_NB) ? "shared\n" : "locked: $!\n";
truncate($name, 10) or die;
print "size ", (stat $name)[7], ", mode ", sprintf("%o", S_IMODE((stat _)[2])), "\n";

mkdir "d" or die;
mkdir "d/$_" for "a" .. "e";
symlink "a", "d/link";
rename "d/e", "d/f";
my @found;
find(sub { push @found, $File::Find::name }, "d");
print "@{[sort @found]}\n", readlink("d/link"), "\n";
print rmdir("d") ? "gone\n" : "rmdir: $!\n";

pipe(my $r, my $w);
my $pid = fork;
if (!$pid) {
	close $r;
	print $w "from the child\n";
	close $w;
	exit 7;
}
close $w;
print <$r>;
waitpid $pid, 0;
print "status ", $? >> 8, "\n";
print "system: ", system("sh", "-c", "exit 3") >> 8, ", ", `echo captured`;
open(my $sort, "|-", "sort -r") or die;
print $sort "$_\n" for qw(b a c);
close $sort;

my $got = 0;
local $SIG{USR1} = sub { $got++ };
kill USR1 => $$ for 1 .. 3;
print "USR1: $got\n";
eval { local $SIG{ALRM} = sub { die "alarm\n" }; ualarm 50_000; sleep 5; };
print "ended by $@";
$pid = fork;
if (!$pid) { setsid; sleep 100; exit }
kill TERM => $pid;
waitpid $pid, 0;
print "signal ", $? & 127, "\n";
print waitpid(-1, WNOHANG), "\n";

socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
syswrite $a, "x" x 100000 if !($pid = fork) and close $b;
exit if !$pid;
close $a;
my $total = 0;
while (sysread $b, my $buf, 4096) { $total += length $buf }
print "$total bytes\n";
waitpid $pid, 0;
my $server = IO::Socket::UNIX->new(Local => "sock", Listen => 5) or die;
for my $i (1 .. 3) {
	if (!fork) {
		my $c = IO::Socket::UNIX->new(Peer => "sock") or die;
		print $c "client $i\n";
		exit;
	}
}
my @said;
for (1 .. 3) { my $c = $server->accept; push @said, scalar <$c> }
print sort @said;
1 while wait > 0;
mkfifo "fifo", 0600;
if (!fork) { open my $f, ">", "fifo"; print $f "through a fifo\n"; exit }
open my $f, "<", "fifo";
print <$f>;
wait;
my $t = clock_gettime(CLOCK_MONOTONIC);
select undef, undef, undef, 0.1;
print clock_gettime(CLOCK_MONOTONIC) - $t >= 0.1 ? "slept\n" : "too short\n";
my @name = POSIX::uname;
print "$name[0] $name[4]\n";
print join(" ", map { (getpwuid $_)[0] } 0, 65534), "\n";
{ no warnings "exec"; exec { "/nothing/here" } "x" }
print "exec: $!\n";
chdir "d" or die;
print POSIX::getcwd(), "\n";
