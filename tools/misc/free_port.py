"""Print a port that is free on this machine, or check that one is: ``free_port.py [PORT]``.

A program of the start scripts: without PORT the system chooses one, so that several jobs can run on
one machine; a PORT that is taken is said in one line.
"""

import socket
import sys


def main(argv: list[str] | None = None) -> None:
    wanted = (sys.argv[1:] if argv is None else argv) or ['0']
    port = int(wanted[0]) if wanted[0].isdecimal() else -1
    if not 0 <= port < 2**16:
        raise SystemExit(f'PORT is {wanted[0]!r}, expected a number below 65536.')
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PyTorch does
        try:
            probe.bind(('', port))
        except OSError as error:
            raise SystemExit(
                f'PORT is {port}, which cannot be used on this machine ({error.strerror}), '
                'expected a free one; without PORT one is chosen.'
            ) from error
        print(probe.getsockname()[1])


if __name__ == '__main__':
    main()
