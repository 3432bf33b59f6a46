#!/bin/sh
# within: 120
# tcc: a program made and run, and one that is only run, from memory.
cat > hello.c <<'END'
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	char line[100];

	for (int i = 1; i < argc; i++)
		printf("%d: %s\n", i, argv[i]);
	while (fgets(line, sizeof(line), stdin))
		printf("%zu bytes\n", strlen(line));
	return 3;
}
END
tcc -o hello hello.c
echo "line" | ./hello a 'b c'
echo "status $?"
printf 'one\ntwo two\n' | tcc -run hello.c x
echo "status $?"
tcc -c -o hello.o hello.c && tcc -o again hello.o && ./again </dev/null
echo "status $?"
tcc -o nothing nothing.c
echo "status $?"
