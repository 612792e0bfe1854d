#include "command.h"

namespace sagitta::tools {

void add_commands(CLI::App& app, int& status) {
    add_serve(app, status);
    add_echo(app, status);
    add_store(app, status);
    add_find(app, status);
    add_get(app, status);
    add_move(app, status);
    add_commit(app, status);
    add_mpps(app, status);
    add_doctor(app, status);
    add_dump(app, status);
    add_json(app, status);
    add_modify(app, status);
    add_transcode(app, status);
    add_deid(app, status);
    add_render(app, status);
    add_volume(app, status);
    add_reidentify(app, status);
    add_import(app, status);
    add_export(app, status);
    add_reindex(app, status);
    add_verify(app, status);
    add_delete(app, status);
    add_protect(app, status);
    add_quarantine(app, status);
    add_events(app, status);
    add_stats(app, status);
    add_worklist(app, status);
    add_config(app, status);
    add_version(app, status);
}

}  // namespace sagitta::tools
