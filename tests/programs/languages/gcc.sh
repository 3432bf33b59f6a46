#!/bin/sh
# within: 300
# A program with libm and threads by gcc: compiled, optimized, static, shared, with a library of its own.
cat > main.c <<'END'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int twice(int);

static void *work(void *arg)
{
	long sum = 0;

	for (long i = 0; i < 100000; i++)
		sum += i ^ (long)arg;
	return (void *)sum;
}

int main(int argc, char **argv)
{
	pthread_t t[4];
	void *sum;

	for (long i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, work, (void *)i))
			abort();
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &sum);
		printf("thread %d: %ld\n", i, (long)sum);
	}
	printf("%d arguments, twice 21 is %d, root of 2 is %.6f\n", argc - 1, twice(21), sqrt(2 + argc - argc));
	return argc == 3 ? 0 : 9;
}
END
echo 'int twice(int n) { return 2 * n; }' > twice.c
set -e
gcc -Wall -O0 -o plain main.c twice.c -lm
./plain a b
gcc -Wall -O2 -flto=1 -static -o static main.c twice.c -lm
./static a b
gcc -O2 -fPIC -shared -o libtwice.so twice.c
gcc -pipe -O2 -g -o shared main.c -L. -ltwice -lm -Wl,-rpath,'$ORIGIN'
./shared a b
readelf -d shared | grep -E 'NEEDED|RUNPATH'
ar rc libtwice.a twice.c && ar t libtwice.a
nm libtwice.so | grep -c ' T twice'
objdump -d libtwice.so | grep -c '<twice>:'
strip shared && ./shared a || echo "status $?"
gcc -c -o /dev/null bad.c 2>&1 | grep -o 'No such file.*' | head -1
echo 'int main(void) { return *(volatile int *)0; }' > crash.c
gcc -o crash crash.c && ./crash || echo "status $?"
