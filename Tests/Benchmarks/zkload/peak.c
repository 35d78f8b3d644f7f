/*
 * peak COMMAND [WORD...] - the largest resident memory of a command, in KiB.
 *
 * What starts a process hands it its own peak: the kernel counts the pages of
 * the caller until exec. From Python it is 20 MiB, from this program one.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    int status = 0;
    if (argc < 2) return 2;
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) return 2;
    if (!WIFEXITED(status) || WEXITSTATUS(status)) return 1;
    if (getrusage(RUSAGE_CHILDREN, &usage)) return 2;
    fprintf(stderr, "%ld\n", usage.ru_maxrss);
    return 0;
}
