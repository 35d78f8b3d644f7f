// What telling many watchers costs at least: one thread sends an event's bytes to each of N idle connections, another
// process reads them all. Prints a sample for bars.py: the median time until the last has come, and the sender's CPU.
//
//     fan-out CONNECTIONS ROUNDS
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
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

int main(int argc, char **argv) {
  if (argc != 3) errx(2, "usage: fan-out CONNECTIONS ROUNDS");
  int count = atoi(argv[1]), rounds = atoi(argv[2]), one = 1, done[2];
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
  int *connections = calloc(count, sizeof *connections);
  for (int i = 0; i < count; i++) {
    if ((connections[i] = accept(listener, NULL, NULL)) < 0) err(1, "accept");
    setsockopt(connections[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  double *times = calloc(rounds, sizeof *times), cpu = 0;
  char event[EVENT_BYTES] = {0};
  for (int round = 0; round < rounds; round++) {
    usleep(50000);
    double begin = now(CLOCK_MONOTONIC), used = now(CLOCK_PROCESS_CPUTIME_ID), end;
    for (int i = 0; i < count; i++)
      if (write(connections[i], event, sizeof event) != sizeof event) err(1, "write");
    cpu += now(CLOCK_PROCESS_CPUTIME_ID) - used;
    if (read(done[0], &end, sizeof end) != sizeof end) err(1, "read");
    times[round] = end - begin;
  }
  qsort(times, rounds, sizeof *times, compare);
  printf("{\"target\":\"null\",\"test\":\"watch-%d\",\"last_event_us_median\":%.1f,\"server_cpu_us_per_op\":%.2f}\n", count,
         times[rounds / 2] * 1e6, cpu / rounds / count * 1e6);
}
