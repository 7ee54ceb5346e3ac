// One batch, one call into JavaScript; see batch_call.h.
#include "batch_call.h"

void begin_calls(struct batch_call *call, napi_env env, const char *name, napi_value memory, napi_value on_batch,
                 napi_async_cleanup_hook on_thread_end, void *data) {
  napi_value text;
  call->env = env;
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text);
  napi_async_init(env, NULL, text, &call->context);
  napi_create_reference(env, memory, 1, &call->memory_ref);
  napi_create_reference(env, on_batch, 1, &call->on_batch_ref);
  napi_add_async_cleanup_hook(env, on_thread_end, data, &call->hook);
}

bool call_batch(const struct batch_call *call, int count) {
  napi_env env = call->env;
  napi_handle_scope scope;
  napi_value global, on_batch, number;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  bool done = napi_get_global(env, &global) == napi_ok &&
              napi_get_reference_value(env, call->on_batch_ref, &on_batch) == napi_ok &&
              napi_create_int32(env, count, &number) == napi_ok &&
              napi_make_callback(env, call->context, global, on_batch, 1, &number, NULL) == napi_ok;
  bool is_pending = false;
  napi_is_exception_pending(env, &is_pending);
  if (is_pending) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
  return done;
}

void end_calls(struct batch_call *call) {
  napi_handle_scope scope;
  if (napi_open_handle_scope(call->env, &scope) == napi_ok) {
    napi_delete_reference(call->env, call->memory_ref);
    napi_delete_reference(call->env, call->on_batch_ref);
    napi_async_destroy(call->env, call->context);
    napi_close_handle_scope(call->env, scope);
  }
  napi_remove_async_cleanup_hook(call->hook);
}
