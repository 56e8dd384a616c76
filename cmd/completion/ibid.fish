# Completes @name@ in fish.
#   @name@ completion fish > ~/.config/fish/completions/@name@.fish
function __@name@_complete
    set -l words (commandline -opc) (commandline -ct)
    set -lx COMP_CWORD (math (count $words) - 1)
    set -lx COMP_LINE (commandline -p)
    set -lx COMP_POINT (string length -- (commandline -cp))
    set -l found (command @name@ completion -- $words 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c @name@ -f -a '(__@name@_complete)'
