"""Completion of commands, options and names in bash and zsh, and the help of every command."""

import json
import re
import subprocess

from harness.case import EndToEndCase
from harness.daemon import executable
from harness.process import free_port, require_program
from harness.scripted import Scripted, answer, wait_for_hangup
from harness.terminal import Terminal

# Completes a line as bash would, and prints what it offers.
COMPLETE = r"""
source "$SCRIPT" || exit 1
COMP_LINE=$LINE COMP_POINT=${#LINE}
compopt() { :; }
COMPREPLY=()
_fanfare
printf '%s\n' "${COMPREPLY[@]}"
"""


def script(shell):
    return subprocess.run([executable(), "completion", shell], capture_output=True, timeout=10,
                          check=True).stdout.decode()


class Completion(EndToEndCase):
    def write(self, shell):
        path = self.directory / f"completion.{shell}"
        path.write_text(script(shell), encoding="utf-8")
        return path

    def offered(self, line, program=None):
        """For a command line that begins with `fanfare`, which is `program`."""
        line = line.replace("fanfare", program or executable(), 1)
        done = subprocess.run(["bash", "--norc", "-c", COMPLETE], capture_output=True, timeout=10,
                              cwd=self.directory, check=False,
                              env={"SCRIPT": str(self.write("bash")), "LINE": line,
                                   "PATH": "/usr/bin:/bin", "HOME": str(self.directory)})
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode().split()

    def endpoints(self, **config):
        url = f"http://127.0.0.1:{free_port()}/"
        daemon = self.daemon([{"name": name, "url": url} for name in ("audit", "auth", "chat")],
                             **config)
        return f"http://{daemon.admin}"

    def test_scripts_are_sound(self):
        require_program("bash", "zsh")
        for shell in ("bash", "zsh"):
            done = subprocess.run([shell, "-n", str(self.write(shell))], capture_output=True,
                                  timeout=10, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""), shell)

    def test_commands(self):
        self.assertEqual(self.offered("fanfare ta"), ["tail"])
        self.assertIn("dead-letters", self.offered("fanfare "))
        self.assertEqual(self.offered("fanfare dead-letters "), ["ls", "show", "replay", "purge"])
        self.assertEqual(self.offered("fanfare dead-letters p"), ["purge"])
        self.assertEqual(self.offered("fanfare completion "), ["bash", "zsh"])
        self.assertEqual(self.offered("fanfare nonsense x "), self.offered("fanfare "))

    def test_options(self):
        self.assertEqual(self.offered("fanfare tail --co"), ["--count"])
        self.assertIn("--print-schema", self.offered("fanfare check --"))
        self.assertEqual(self.offered("fanfare status --url http://127.0.0.1:1 --wa"), ["--watch"])
        self.assertEqual(self.offered("fanfare status --url "), [])
        self.assertEqual(self.offered("fanfare replay --reason max"), ["max_attempts", "max_age"])
        self.assertEqual(self.offered("fanfare replay --reason=max"), ["max_attempts", "max_age"])

    def test_files(self):
        (self.directory / "events.json").touch()
        (self.directory / "events.d").mkdir()
        self.assertEqual(sorted(self.offered("fanfare send ev")), ["events.d", "events.json"])
        self.assertEqual(self.offered("fanfare store info --dir ev"), ["events.d"])
        self.assertEqual(self.offered("fanfare serve -c events.j"), ["events.json"])

    def test_names_of_endpoints(self):
        url = self.endpoints()
        self.assertEqual(self.offered(f"fanfare pause --url {url} au"), ["audit", "auth"])
        self.assertEqual(self.offered(f"fanfare pause --token-file /dev/null --url {url} x"), [])
        self.assertEqual(self.offered(f"fanfare endpoints --url {url} "),
                         ["audit", "auth", "chat"])
        self.assertEqual(self.offered(f"fanfare dead-letters ls --url {url} --endpoint c"),
                         ["chat"])

    def test_names_of_endpoints_with_a_token(self):
        token = self.directory / "token"
        token.write_text("sesame", encoding="ascii")
        listed = answer(200, '{"endpoints":[{"name":"audit"}]}')
        refused = answer(401, "")
        server = Scripted(lambda peer, head: (listed if "Bearer sesame" in head else refused)(
            peer, head))
        self.addCleanup(server.close)
        line = f"fanfare test --url {server.url} --token-file "
        self.assertEqual(self.offered(f"{line}~/token "), ["audit"])
        self.assertEqual(self.offered(f"{line}{self.write('bash')} "), [])

    def test_names_that_are_none_are_neither_offered_nor_run(self):
        """Whoever listens at the address while the daemon is down may answer anything."""
        names = ["$(touch evil)", "`touch evil`", "a b", "", "audit\n$(touch evil)", "a" * 65, "ok-1"]
        listed = answer(200, json.dumps({"endpoints": [{"name": name} for name in names]}))
        server = Scripted(listed)
        self.addCleanup(server.close)
        self.assertEqual(self.offered(f"fanfare pause --url {server.url} "), ["ok-1"])
        self.assertFalse((self.directory / "evil").exists())
        # The script does not trust the program either.
        fake = self.directory / "fake"
        fake.write_text("#!/bin/sh\necho '$(touch evil)'; echo 'ok-1'\n", encoding="ascii")
        fake.chmod(0o755)
        self.assertEqual(self.offered("fanfare pause o", program=str(fake)), ["ok-1"])
        self.assertFalse((self.directory / "evil").exists())

    def test_no_names_without_a_daemon_that_answers_within_a_moment(self):
        self.assertEqual(self.offered(f"fanfare pause --url http://127.0.0.1:{free_port()} "), [])
        silent = Scripted(lambda peer, _: wait_for_hangup(peer))
        self.addCleanup(silent.close)
        self.assertEqual(self.offered(f"fanfare pause --url {silent.url} "), [])

    def test_in_a_bash_that_somebody_types_into(self):
        url = self.endpoints()
        terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], env={"PS1": "ready> "})
        self.addCleanup(terminal.close)
        terminal.wait_for("ready> ")
        terminal.type(f"PATH={executable().rpartition('/')[0]}:$PATH; "
                      "source <(fanfare completion bash); echo loa''ded\r")
        place = terminal.wait_for("loaded")
        terminal.type(f"fanfare endpoints --url {url} ch\t--attempts 1\r")
        terminal.wait_for(r"chat --attempts 1\s+AT +EVENT-ID", start=place)

    def test_in_a_zsh_that_somebody_types_into(self):
        require_program("zsh")
        url = self.endpoints(dead_letters={"dir": str(self.directory / "letters")})
        terminal = Terminal(["zsh", "-f", "-i"], env={"PS1": "ready> "})
        self.addCleanup(terminal.close)
        terminal.wait_for("ready> ")
        terminal.type(f"PATH={executable().rpartition('/')[0]}:$PATH; autoload -U compinit; "
                      "compinit -u -D; source <(fanfare completion zsh); echo loa''ded\r")
        place = terminal.wait_for("loaded")
        terminal.type(f"fanfare endpo\t--url {url} ch\t--attempts 1\r")
        terminal.wait_for(r"\bAT +EVENT-ID", start=place)
        terminal.type(f"fanfare dead-\tls --url {url} --reason max_att\t--endpoint=cha\t\r")
        terminal.wait_for(r"\bID +ENDPOINT", start=place)

    def test_shell_that_is_not_known(self):
        code, output, errors = self.run_fanfare("completion", "fish")
        self.assertEqual((code, output, errors.count("\n")), (2, "", 1))


class Help(EndToEndCase):
    def commands(self):
        """Every command that can be run, from the paths in the completion."""
        paths = re.search(r"^ +(/serve .*)\) at\+=", script("bash"), re.MULTILINE)[1]
        return [path.strip("/ ").split("/") for path in paths.split("|")]

    def test_every_command_has_one_with_an_example(self):
        commands = self.commands()
        self.assertGreater(len(commands), 20)
        for command in commands:
            code, output, errors = self.run_fanfare(*command, "--help")
            self.assertEqual((code, errors), (0, ""), command)
            self.assertRegex(output, rf"Examples?:\s+([^\n]+\| )?(source <\()?fanfare "
                                     rf"{' '.join(command)}", command)

    def test_fits_a_terminal(self):
        for command in [[], *self.commands()]:
            footer = self.run_fanfare(*command, "--help")[1].rpartition("\n\nExample")[2]
            self.assertEqual([line for line in footer.splitlines() if len(line) > 100], [], command)
