// What every native module of batches owes Node: the shared memory and the function held, JavaScript called, all let go of.
#ifndef BATCH_CALL_H
#define BATCH_CALL_H

#include <node_api.h>
#include <stdbool.h>

struct batch_call {
  napi_env env;
  napi_ref memory_ref, on_batch_ref;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
};

// `name` is what diagnostics call it; `on_thread_end` has `data` when the thread ends first.
void begin_calls(struct batch_call *call, napi_env env, const char *name, napi_value memory, napi_value on_batch,
                 napi_async_cleanup_hook on_thread_end, void *data);

// Tells JavaScript of a batch. Whether it did: what it throws is thrown as if by an event.
bool call_batch(const struct batch_call *call, int count);

// Its end may be what the end of the thread waits for.
void end_calls(struct batch_call *call);

#endif
