#!/bin/sh
# within: 300
# make with parallel jobs: programs from many files, times of files, a job that fails, a jobserver passed down.
for i in 1 2 3 4 5 6 7 8; do echo "int f$i(void) { return $i; }" > f$i.c; done
cat > main.c <<'END'
#include <stdio.h>
int f1(void), f2(void), f3(void), f4(void), f5(void), f6(void), f7(void), f8(void);
int main(void)
{
	printf("%d\n", f1() + f2() + f3() + f4() + f5() + f6() + f7() + f8());
	return 0;
}
END
cat > Makefile <<'END'
objects := main.o $(patsubst %,f%.o,1 2 3 4 5 6 7 8)
prog: $(objects)
	@tcc -o $@ $^ && echo linked $(words $^)
%.o: %.c
	@tcc -c -o $@ $<
fail: fail1 fail2
fail1:
	@false
fail2:
	@sleep 0.1; echo second
deep:
	@$(MAKE) --no-print-directory -f Makefile sub1 sub2 sub3
sub%:
	@test -n "$(MAKEFLAGS)" && sleep 0.05
	@echo $@ | cat > $@.out
END
make -j4 prog && ./prog
make prog
sleep 1.1
touch f3.c
make -j3 prog | tail -1
make -k -j2 fail 2>&1 | grep -v 'Error 1' | sort
make -j3 deep && cat sub?.out
make nothing
echo "status $?"
