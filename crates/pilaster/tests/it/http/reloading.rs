//! SQL files taken into use as they change, under `dev` alone.

use std::time::{Duration, Instant};

use testkit::{Answer, Project, Running};

use super::{App, PILASTER, on_every_engine};

on_every_engine!(project: edits_reach_the_next_request_under_dev_alone);

const FILE: &str = "api/hello.get.sql";

fn hello(word: &str) -> String {
    format!(
        "-- @access anon\n-- @returns value\nselect '{word}' as word from users where handle = 'bayko'\n"
    )
}

fn project() -> Project {
    let project = Project::cruddur();
    project.write(FILE, &hello("first"));
    project
}

/// Asks until the answer is as it should be; how long that takes is no matter.
async fn until(server: &Running, path: &str, is_due: impl Fn(&Answer) -> bool) -> Answer {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let answer = server.get(path).await;
        if is_due(&answer) {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "{path}: {}\n{}",
            answer.body,
            server.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

// req: SQ-14
async fn edits_reach_the_next_request_under_dev_alone(app: App) {
    // Both read the same folder, so what dev has seen serve could have seen.
    let (fixed, project) = (&app.server, &app.project);
    let dev = Running::spawn(PILASTER, project, &["dev"])
        .until_ready()
        .await;
    for server in [fixed, &dev] {
        assert_eq!(server.get("/api/hello").await.body, "\"first\"");
    }
    project.write(FILE, &hello("second"));
    until(&dev, "/api/hello", |answer| answer.body == "\"second\"").await;
    assert_eq!(fixed.get("/api/hello").await.body, "\"first\"");
    // A new file in a new folder; a file with a mistake, which changes nothing; one that is gone.
    project.write("api/more/hello.get.sql", &hello("third"));
    until(&dev, "/api/more/hello", |answer| answer.status == 200).await;
    assert_eq!(fixed.get("/api/more/hello").await.status, 404);
    project.write(FILE, &hello("fourth").replace("users", "usrs"));
    let deadline = Instant::now() + Duration::from_mins(1);
    while !dev.log().contains("did you mean users") {
        assert!(Instant::now() < deadline, "{}", dev.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(dev.get("/api/hello").await.body, "\"second\"");
    project.write(FILE, &hello("fifth"));
    until(&dev, "/api/hello", |answer| answer.body == "\"fifth\"").await;
    std::fs::remove_file(project.path().join(FILE)).expect("the file is there");
    until(&dev, "/api/hello", |answer| answer.status == 404).await;
    assert_eq!(fixed.get("/api/hello").await.body, "\"first\"");
    // What serve has at its next start.
    project.write(FILE, &hello("sixth"));
    let again = Running::serve(PILASTER, project).await;
    assert_eq!(again.get("/api/hello").await.body, "\"sixth\"");
}
