//! `pilaster types ts`

use testkit::{Project, tool};

use super::{films, node};
use crate::http::PILASTER;

/// Cruddur with a list of values and a function for `client.rpc()`.
fn cruddur() -> Project {
    let project = Project::cruddur();
    project.write(
        "schema/moods.sql",
        "create table moods (
           id   uuid primary key default gen_random_uuid(),
           mood text not null check (mood in ('glad', 'sad'))
         );
         grant select, insert on moods to authenticated;
         create policy everybody on moods using (true) with check (true);",
    );
    project.write(
        "api/rpc/top.post.sql",
        "-- @summary Most liked\n-- @param count integer = 10 in body\n-- @access authenticated\n\
         select uuid, message from activities order by likes_count desc, uuid limit :count",
    );
    project
}

/// What the compiler says of files in the project's folder.
fn compiled(project: &Project, files: &[&str]) -> Option<(bool, String)> {
    let modules = tool("TEST_NODE_MODULES")?;
    let link = project.path().join("node_modules");
    if !link.exists() {
        std::os::unix::fs::symlink(&modules, link).expect("a link can be made");
    }
    let compiler = format!("{modules}/typescript/bin/tsc");
    let mut words = vec![compiler.as_str(), "--strict", "--noEmit", "--skipLibCheck"];
    words.extend(["--target", "es2022", "--module", "nodenext"]);
    words.extend([
        "--moduleResolution",
        "nodenext",
        "--noUncheckedIndexedAccess",
    ]);
    words.extend(files);
    let printed = node(project, &words)?;
    Some((printed.is_success, printed.text))
}

// req: DO-5
#[test]
fn the_types_compile_and_refuse_what_the_api_refuses() {
    let project = cruddur();
    project.succeed(PILASTER, &["types", "ts", "--out", "database.ts"]);
    project.write("use.ts", include_str!("use.ts"));
    let misuse = include_str!("misuse.ts");
    project.write("misuse.ts", misuse);
    if let Some((is_success, text)) = compiled(&project, &["use.ts", "misuse.ts"]) {
        assert!(is_success, "{text}");
    }
    // Without its marks the program does not compile: one error for each.
    let marks = misuse.matches("  // @ts-expect-error").count();
    project.write("bare.ts", &misuse.replace("@ts-expect-error", "wrong:"));
    if let Some((is_success, text)) = compiled(&project, &["bare.ts"]) {
        assert!(!is_success, "{text}");
        assert_eq!(text.matches("): error TS").count(), marks, "{text}");
    }
}

// req: DO-5
#[test]
fn the_same_declarations_give_the_same_types() {
    let project = films();
    let print = |role: &str| {
        project
            .succeed(PILASTER, &["types", "ts", "--role", role])
            .out
    };
    let types = print("anon");
    assert_eq!(types, print("anon"));
    for line in [
        "          big: number | string | null\n",
        "          bytes: string | null\n",
        "          doc: Json\n",
        "          state: \"draft\" | \"gone\" | \"sent\"\n",
        "      kinds_state: \"draft\" | \"gone\" | \"sent\"\n",
        "          exact?: string\n",
        "            columns: [\"competition\", \"year\"]\n",
        "            isOneToOne: true\n",
    ] {
        let line = line.replace(
            "\"draft\" | \"gone\" | \"sent\"",
            "\"draft\" | \"sent\" | \"gone\"",
        );
        assert!(types.contains(&line), "{line}: {types}");
    }
    // Nobody writes what is generated, and a role without rights sees no table.
    assert_eq!(
        types.matches("          twin: number | null\n").count(),
        1,
        "{types}"
    );
    assert!(print("authenticated").contains("    Tables: { [_ in never]: never }\n"));
    project.write("database.ts", &types);
    if let Some((is_success, text)) = compiled(&project, &["database.ts"]) {
        assert!(is_success, "{text}");
    }
    let unknown = project.run(PILASTER, &["types", "ts", "--role", "nobody"]);
    assert_eq!(unknown.code, 2, "{}", unknown.text());
}
