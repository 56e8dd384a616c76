# Completes @name@ in fish.
#   @name@ completion fish > ~/.config/fish/completions/@name@.fish
function __@name@_complete
    set -l words (commandline -opc) (commandline -ct)
    set -lx COMP_CWORD (math (count $words) - 1)
    set -lx COMP_LINE (commandline)
    set -lx COMP_POINT (commandline -C)
    command @name@ completion -- $words 2>/dev/null
end
complete -c @name@ -a '(__@name@_complete)'
