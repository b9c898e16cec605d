//! Request files, as editors know them: requests behind `###` lines, `@name = value`,
//! `{{name}}` and `{{login.response.body.access_token}}`, and what an answer must be in comments.

/// A file of requests.
pub(super) struct RequestFile {
    /// Its path in the project.
    pub(super) path: String,
    /// `@name = value`
    pub(super) variables: Vec<(String, String)>,
    /// In their order.
    pub(super) requests: Vec<TestRequest>,
}

/// A request with what its answer must be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestRequest {
    /// The text behind `###`.
    pub(super) title: String,
    /// `# @name login`: what later requests call its answer.
    pub(super) name: Option<String>,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) expectations: Vec<Expectation>,
}

/// What must be true of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// `# @expect 201`
    Status(u16),
    /// `# @expect header location: /api/…`: it holds this text.
    Header(String, String),
    /// `# @expect body.0.message "Hello"`: the JSON at this path is this.
    Json(Vec<String>, serde_json::Value),
    /// `# @expect body contains text`
    Contains(String),
}

impl RequestFile {
    /// Reads a file; the error names path and line.
    pub(super) fn parse(path: &str, text: &str) -> Result<Self, String> {
        let mut file = Self {
            path: path.to_owned(),
            variables: Vec::new(),
            requests: Vec::new(),
        };
        let mut part: Vec<(usize, &str)> = Vec::new();
        let mut title = "";
        for (place, line) in text.lines().enumerate() {
            if let Some(rest) = line.strip_prefix("###") {
                file.add(title, &part)?;
                part.clear();
                title = rest.trim();
            } else {
                part.push((place + 1, line));
            }
        }
        file.add(title, &part)?;
        Ok(file)
    }

    fn add(&mut self, title: &str, lines: &[(usize, &str)]) -> Result<(), String> {
        let mut lines = lines.iter().copied().peekable();
        let (mut name, mut expectations) = (None, Vec::new());
        while let Some((number, line)) = lines.peek().copied() {
            let fault = |message: &str| format!("{}:{number}: {message}", self.path);
            let line = line.trim();
            if let Some(comment) = comment(line) {
                if let Some(given) = comment.strip_prefix("@name ") {
                    name = Some(given.trim().to_owned());
                } else if let Some(wanted) = comment.strip_prefix("@expect ") {
                    expectations.push(expectation(wanted.trim()).ok_or_else(|| {
                        fault("write @expect 200, @expect header NAME: TEXT, @expect body.PATH JSON or @expect body contains TEXT")
                    })?);
                }
            } else if let Some(variable) = line.strip_prefix('@') {
                let (name, value) = variable
                    .split_once('=')
                    .ok_or_else(|| fault("write @name = value"))?;
                let variable = (name.trim().to_owned(), value.trim().to_owned());
                self.variables.push(variable);
            } else if !line.is_empty() {
                break;
            }
            lines.next();
        }
        let Some((number, line)) = lines.next() else {
            return match expectations.is_empty() {
                true => Ok(()),
                false => Err(format!("{}: {title}: there is no request", self.path)),
            };
        };
        let (method, target) = line.trim().split_once(' ').unwrap_or(("GET", line.trim()));
        if !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(format!("{}:{number}: write METHOD /path", self.path));
        }
        let target = target.trim().trim_end_matches("HTTP/1.1").trim();
        let mut headers = Vec::new();
        for (number, line) in lines
            .by_ref()
            .take_while(|(_, line)| !line.trim().is_empty())
        {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| format!("{}:{number}: write Header: value", self.path))?;
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        let body: Vec<&str> = lines.map(|(_, line)| line).collect();
        self.requests.push(TestRequest {
            title: match title {
                "" => format!("{method} {target}"),
                title => title.to_owned(),
            },
            name,
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body: body.join("\n").trim().to_owned(),
            expectations,
        });
        Ok(())
    }
}

/// The text of a comment line.
fn comment(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('#').or_else(|| line.strip_prefix("//"))?;
    Some(rest.trim())
}

fn expectation(text: &str) -> Option<Expectation> {
    if let Some(header) = text.strip_prefix("header ") {
        let (name, value) = header.split_once(':')?;
        return Some(Expectation::Header(
            name.trim().to_owned(),
            value.trim().to_owned(),
        ));
    }
    if let Some(wanted) = text.strip_prefix("body contains ") {
        return Some(Expectation::Contains(wanted.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("body") {
        let (path, json) = rest.split_once(' ')?;
        let path = path.split('.').filter(|step| !step.is_empty());
        let json = serde_json::from_str(json.trim()).ok()?;
        return Some(Expectation::Json(path.map(str::to_owned).collect(), json));
    }
    text.trim_start_matches("status ")
        .parse()
        .ok()
        .map(Expectation::Status)
}

#[cfg(test)]
mod tests {
    //! The format.

    use serde_json::json;

    use super::{Expectation, RequestFile};

    #[test]
    fn a_file_has_requests_with_expectations() {
        let text = "@who = ada\n\n### she signs in\n# @name login\n# @expect 200\n\
                    # @expect body.token_type \"bearer\"\n# @expect header cache-control: no-store\n\
                    POST /token HTTP/1.1\nContent-Type: text/plain\n\nusername={{who}}\n\n### again\nGET /x\n";
        let file = RequestFile::parse("t.http", text).expect("valid");
        assert_eq!(file.variables, [("who".to_owned(), "ada".to_owned())]);
        let [first, second] = file.requests.as_slice() else {
            panic!("{:?}", file.requests);
        };
        assert_eq!(
            (first.title.as_str(), first.name.as_deref()),
            ("she signs in", Some("login"))
        );
        assert_eq!(
            (first.method.as_str(), first.target.as_str()),
            ("POST", "/token")
        );
        assert_eq!(first.body, "username={{who}}");
        assert_eq!(first.expectations[0], Expectation::Status(200));
        let path = vec![String::from("token_type")];
        assert_eq!(
            first.expectations[1],
            Expectation::Json(path, json!("bearer"))
        );
        assert_eq!(second.target, "/x");
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, expected) in [
            ("### a\n# @expect soon\nGET /x\n", "t.http:2: write @expect"),
            ("### a\nget /x\n", "t.http:2: write METHOD"),
            ("### a\nGET /x\nno header\n", "t.http:3: write Header"),
            ("### a\n# @expect 200\n", "there is no request"),
            ("@x\nGET /\n", "t.http:1: write @name"),
        ] {
            let error = RequestFile::parse("t.http", text).err().expect("a mistake");
            assert!(error.contains(expected), "{error}");
        }
    }
}
