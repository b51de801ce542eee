#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# scripts/check-links finds links, headings and lines that are not there, and nothing else.
# shellcheck source=tests/lint/planted.sh
. tests/lint/planted.sh

plant src/a.h <<<$'one\ntwo\nthree'
plant docs/b.md <<<$'# The words\n\n[up](../README.md) and [here](#the-words)'
plant README.md <<'EOT'
See [the words](docs/b.md#the-words), [code](src/a.h#L2), [folder](docs), `src/a.h:3` and
[elsewhere](https://example.org/nothing).
```
[not a link](nowhere.md)
```
EOT
expect_clean check-links

bad() { # LINE-OF-TEXT WORDS
  plant docs/bad.md <<<$'# Page\n'"$1"
  expect_complaint check-links "$2"
  rm "$house/docs/bad.md"
}
bad '[gone](gone.md)' 'docs/bad.md:2: link to gone.md: there is no docs/gone.md'
bad 'two [here](b.md) and [gone](../src/b.h)' 'there is no docs/../src/b.h'
bad '[heading](b.md#the-wards)' "docs/b.md has no heading 'the-wards'"
bad '[line](../src/a.h#L4)' 'has only 3 lines'
bad 'at `src/a.h:4`' '`src/a.h:4`: src/a.h has only 3 lines'
bad 'at `src/c.h:1`' 'there is no src/c.h'
bad '![picture](demo.png)' 'there is no docs/demo.png'
expect_clean check-links
exit "$failed"
