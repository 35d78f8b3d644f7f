// What telling many watchers costs at least: threads send an event's bytes to each of N idle connections, another
// process reads them all. Prints a sample for bars.py: the median time until the last has come, and the sender's CPU.
//
//     fan-out CONNECTIONS ROUNDS [THREADS]
//
// Why it is a floor: each watcher has a connection of its own, so that each event is a call of send in any server. The
// calls can be shared among cores, a part of the connections for each, and the floor for the time is taken with as
// many threads as there are cores; the reader needs one of them too, as zkload does beside a server. Threads are woken
// as a server's would be, by what the one that has the write says to the others; one thread (the default) needs no such
// word.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENT_BYTES = 60 };

static double now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static int compare(const void *one, const void *other) {
  double a = *(const double *)one, b = *(const double *)other;
  return (a > b) - (a < b);
}

// Reads everything, and tells the time when all of a round is there.
static void receive(struct sockaddr_in *address, int count, int done) {
  int epoll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    struct epoll_event event = {.events = EPOLLIN};
    event.data.fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(event.data.fd, (struct sockaddr *)address, sizeof *address)) err(1, "connect");
    epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
  }
  long received = 0;
  for (;;) {
    struct epoll_event events[256];
    char bytes[4096];
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      ssize_t length = read(events[i].data.fd, bytes, sizeof bytes);
      if (length <= 0) _exit(0);
      received += length;
      if (received < (long)count * EVENT_BYTES) continue;
      double time = now(CLOCK_MONOTONIC);
      if (write(done, &time, sizeof time) != sizeof time) _exit(1);
      received = 0;
    }
  }
}

static int *connections;
static pthread_barrier_t begun, sent;

typedef struct {
  int first, end;
} Part;

static void tell(const Part *part) {
  char event[EVENT_BYTES] = {0};
  for (int i = part->first; i < part->end; i++)
    if (write(connections[i], event, sizeof event) != sizeof event) err(1, "write");
}

_Noreturn static void *help_telling(void *part) {
  for (;;) {
    pthread_barrier_wait(&begun);
    tell(part);
    pthread_barrier_wait(&sent);
  }
}

int main(int argc, char **argv) {
  if (argc != 3 && argc != 4) errx(2, "usage: fan-out CONNECTIONS ROUNDS [THREADS]");
  int count = atoi(argv[1]), rounds = atoi(argv[2]), threads = argc > 3 ? atoi(argv[3]) : 1, one = 1, done[2];
  if (count < 1 || rounds < 1 || threads < 1 || threads > 256) errx(2, "a number is below 1, or THREADS above 256");
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, count) || pipe(done)) err(1, "listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  if (fork() == 0) receive(&address, count, done[1]);
  connections = calloc(count, sizeof *connections);
  for (int i = 0; i < count; i++) {
    if ((connections[i] = accept(listener, NULL, NULL)) < 0) err(1, "accept");
    setsockopt(connections[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  double *times = calloc(rounds, sizeof *times), cpu = 0;
  Part *parts = calloc(threads, sizeof *parts);
  pthread_barrier_init(&begun, NULL, threads);
  pthread_barrier_init(&sent, NULL, threads);
  for (int i = 0; i < threads; i++) {
    pthread_t thread;
    parts[i] = (Part){(long)count * i / threads, (long)count * (i + 1) / threads};
    if (i > 0 && pthread_create(&thread, NULL, help_telling, &parts[i])) errx(1, "pthread_create");
  }
  for (int round = 0; round < rounds; round++) {
    usleep(50000);
    double begin = now(CLOCK_MONOTONIC), used = now(CLOCK_PROCESS_CPUTIME_ID), end;
    pthread_barrier_wait(&begun);
    tell(&parts[0]);
    pthread_barrier_wait(&sent);
    cpu += now(CLOCK_PROCESS_CPUTIME_ID) - used;
    if (read(done[0], &end, sizeof end) != sizeof end) err(1, "read");
    times[round] = end - begin;
  }
  qsort(times, rounds, sizeof *times, compare);
  printf("{\"target\":\"null\",\"test\":\"watch-%d\",\"last_event_us_median\":%.1f,\"server_cpu_us_per_op\":%.2f}\n", count,
         times[rounds / 2] * 1e6, cpu / rounds / count * 1e6);
}
